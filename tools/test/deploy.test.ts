import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { root } from '../pinned-node.mjs';
import { BuiltFolder } from './built-folder.ts';

const services = ['registry', 'model-server', 'router'] as const;
const composeSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      build: z.object({ dockerfile: z.string() }).optional(),
      command: z.array(z.string()).optional(),
      environment: z.record(z.string(), z.string()).optional(),
      healthcheck: z.object({ test: z.array(z.string()) }).optional(),
      depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
    }),
  ),
});

const readCompose = async () =>
  composeSchema.parse(parse(await readFile(path.join(root, 'deploy', 'compose.yaml'), 'utf8'), { merge: true }));

const dockerfile = async (app: string): Promise<string> =>
  readFile(path.join(root, 'deploy', app, 'Dockerfile'), 'utf8');

/** Names of settings in a text, which is not `SLUICE_X` of a compose variable: `${SLUICE_X}`. */
const settingsIn = (text: string): string[] => text.match(/(?<!\{)\bSLUICE_[A-Z_]+(?==|\b)/g) ?? [];

describe.for(services)('deploy/%s', (app) => {
  let help: string;
  beforeAll(async () => {
    const built = BuiltFolder.inPlace(app);
    const main = await built.run(['--help']);
    const migrate = app === 'registry' ? (await built.run(['--help'], { entry: 'migrate.js' })).out : '';
    help = main.out + migrate;
  });

  it('exposes the ports that the service has by default', async () => {
    const [, exposed] = /^EXPOSE (.*)$/m.exec(await dockerfile(app)) ?? [];
    const ports = ['PORT', 'METRICS_PORT', 'ADMIN_PORT'].map(
      (name) => new RegExp(`SLUICE_${name} .*\\(default (\\d+)\\)`).exec(help)?.[1],
    );
    expect(exposed).toBe(ports.join(' '));
  });

  it('sets only settings that the service has', async () => {
    const compose = await readCompose();
    const own = Object.values(compose.services).filter(({ image }) => image === `sluice-${app}`);
    expect(own.length).toBeGreaterThan(0);
    const used = [
      ...settingsIn(await dockerfile(app)),
      ...own.flatMap(({ environment }) => Object.keys(environment ?? {})),
    ];
    expect(used).toContain('SLUICE_HOST');
    for (const name of used) expect(help).toContain(`${name} `);
  });

  it('copies the built folder and starts an entry that is in it', async () => {
    const text = await dockerfile(app);
    expect(text).toContain(`COPY apps/${app}/dist/ ./`);
    expect(text).toMatch(/^CMD \["node", "main.js"\]$/m);
  });
});

describe('deploy/compose.yaml', () => {
  it('migrates once Postgres takes connections on the network, not while the image still makes its database', async () => {
    const { postgres, migrate, registry } = (await readCompose()).services;
    expect(migrate?.depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
    expect(postgres?.healthcheck?.test.join(' ')).toMatch(/^CMD pg_isready -h 127\.0\.0\.1 /);
    expect(registry?.depends_on).toEqual({ migrate: { condition: 'service_completed_successfully' } });
  });
});
