import { chown, readFile, readdir, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { canEnter, chooseAccount } from '@sluice/postgres-local/account';
import { eventually } from '@sluice/testkit/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takenPorts } from '../src/ports.ts';
import { Load } from './load.ts';
import { RunningPlatform, freeOffset, isAlive, killStarted, makeHome, root, shell } from './running-platform.ts';

/** Root starts the platform in the home of an ordinary user, as `sudo npm start` does; others have a home of their own. */
const user = chooseAccount();
const actsAsUser = user !== undefined && [root, path.dirname(process.execPath)].every((each) => canEnter(each, user));
let home: string;
let offset: number;

beforeAll(async () => {
  home = await makeHome('sluice-platform-');
  if (user !== undefined) await chown(home, user.uid, user.gid);
  offset = await freeOffset();
});
afterAll(async () => {
  await killStarted();
  await rm(home, { recursive: true, force: true });
});

const children = ['registry', 'feedback', 'runtime-1', 'runtime-2', 'router'];

/** The commands that the start printed for a tool. */
const commandsOf = (text: string, start: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith(start));

/** Types what the start printed of a prediction, its label, and how it is shown before and after. */
async function labelAsPrinted(text: string): Promise<void> {
  const [infer, list, ...rest] = /a moment after its answer.*\n([\s\S]*?)\n\n/.exec(text)![1]!.split('\n');
  const [id] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(await shell(infer!, root))!;
  await eventually(async () => expect(await shell(list!, root)).toContain(id));
  const said = await shell(`${rest.join('\n')} 2>&1`, root);
  const [before, after] = said.split(new RegExp(`^prediction ${id}$`, 'm')).slice(1);
  expect(before).toContain('1 label: 1 joined');
  expect(before).not.toMatch(/^ROW {2}LABEL/m);
  expect(after).toMatch(/^ROW {2}LABEL[\s\S]*^0 {4}3 {8}primary {2}1 {6}1 [\s\S]*scored[\s\S]*^rating .* 5 /m);
}

describe('a platform', { timeout: 150_000 }, () => {
  it('says which port is taken, by whom it is wanted and what to do, and leaves nothing behind', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const squatter = createServer().listen(offset + 8011, '127.0.0.1', () => resolve(undefined));
    await promise;
    const platform = new RunningPlatform({ home, offset });
    expect(await platform.ended).toBe(1);
    expect(platform.text.replace(/^sluice: going on as uid .*\n/, '')).toBe(
      `sluice: port ${offset + 8011} of the runtime-1 is taken by another program: stop that one, or start Sluice beside it with \`npm start -- --port-offset ${offset + 1000} --home .sluice-2\`\n`,
    );
    squatter.close();
    expect(await takenPorts(platform.ports)).toEqual([]);
  });

  it('starts, prints commands that work, answers, drains on Ctrl-C and stops with nothing left', async () => {
    const platform = new RunningPlatform({ home, offset });
    await platform.up();
    const pids = await Promise.all(children.map(async (name) => platform.pidOf(name)));

    const buf = commandsOf(platform.text, 'npx buf curl');
    expect(buf).toHaveLength(4);
    const answers: string[] = [];
    for (const command of buf) answers.push(await shell(command, root));
    expect(answers[0]).toContain('inference.GRPCInferenceService');
    expect(answers[1]).toContain('ModelInfer');
    expect(answers[2]).toContain('"ready": true');
    const answer = JSON.parse(answers[3]!) as { modelName: string; modelVersion: string; rawOutputContents: string[] };
    expect([answer.modelName, answer.modelVersion]).toEqual(['digits', '3']);
    const scores = new Float32Array(new Uint8Array(Buffer.from(answer.rawOutputContents[0]!, 'base64')).buffer);
    expect(scores.indexOf(Math.max(...scores))).toBe(1);

    const cli = commandsOf(platform.text, 'npx sluice');
    expect(await shell(cli[0]!, root)).toContain('champion=3');
    expect(await shell(`${cli[1]!} 2>&1`, root)).toContain('586 of 597 right');
    await labelAsPrinted(platform.text);

    expect(platform.text).toContain('The example models digits and wdbc need no approvals (approvals 0)');

    const load = new Load(`127.0.0.1:${platform.ports.router.port}`, {
      concurrency: 64,
      retryForMs: 0,
      endsAtFailure: true,
    });
    await expect.poll(() => load.answers.length, { timeout: 10_000 }).toBeGreaterThan(500);
    platform.child.kill('SIGINT');
    expect(await platform.ended).toBe(0);
    await load.refused();
    await load.stop();
    // What the router had taken it has answered, what came later was refused: none was broken off.
    expect(load.failures).toHaveLength(64);
    expect(load.failures.filter(({ origin }) => origin !== 'unsent' && origin !== 'answered')).toEqual([]);
    expect(platform.text.trimEnd()).toMatch(/platform {2}info {2}stopped$/);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await takenPorts(platform.ports)).toEqual([]);
  });

  it('keeps data and secrets: the second start is quick and pushes nothing', async () => {
    const platform = new RunningPlatform({ home, offset });
    await platform.up(80_000);
    expect(platform.text).not.toContain('pushed example');
    expect(platform.text).not.toContain('making a database');
    for (const file of ['postgres.json', 'audit-key.pem', 'evidence-key.hex', 'feedback-key.hex'])
      expect((await stat(path.join(home, 'secrets', file))).mode & 0o777).toBe(0o600);
    const again = new RunningPlatform({ home, offset });
    expect(await again.ended).toBe(1);
    expect(again.text).toContain(`Sluice runs from ${home} already (process ${platform.child.pid ?? 0})`);
    expect(await platform.stop()).toBe(0);
  });

  it('starts within 15 seconds after kill -9, also with a Postgres that does not end; its services had ended', async () => {
    const begun = performance.now();
    const killed = new RunningPlatform({ home, offset });
    await killed.up(60_000);
    // On a machine that is busy with other tests a start of any kind takes longer.
    const mostMs = Math.max(15_000, 2 * (performance.now() - begun) + 15_000);
    const pids = await Promise.all(children.map(async (name) => killed.pidOf(name)));
    const postgres = await killed.pidOf('postgres');
    // Stands for one that is long in writing out its memory: nothing reaches it but SIGKILL.
    process.kill(postgres, 'SIGSTOP');
    killed.child.kill('SIGKILL');
    await killed.ended;
    await eventually(() => expect(pids.filter(isAlive)).toEqual([]), 15_000);
    expect(isAlive(postgres)).toBe(true);
    const started = performance.now();
    const platform = new RunningPlatform({ home, offset });
    try {
      await platform.up(mostMs);
      expect(performance.now() - started).toBeLessThan(mostMs);
      expect(isAlive(postgres)).toBe(false);
    } finally {
      if (isAlive(postgres)) process.kill(postgres, 'SIGKILL');
    }

    const router = await platform.pidOf('router');
    process.kill(router, 'SIGKILL');
    await platform.prints(/router ended with signal SIGKILL; starting it again in 250 ms/, 5000);
    await platform.prints(/platform {2}info {2}router is back/, 20_000);
    await eventually(async () => {
      expect(await platform.pidOf('router')).not.toBe(router);
    });
    expect(await platform.stop()).toBe(0);
  });

  it.runIf(actsAsUser)('leaves nothing of root’s in a user’s home', async () => {
    for (const name of await readdir(home, { recursive: true }))
      expect([name, (await stat(path.join(home, name))).uid]).toEqual([name, user!.uid]);
  });

  it('writes the raw lines of each process into a file of its own, without secrets', async () => {
    const logs = path.join(home, 'logs');
    const files = (await readdir(logs)).filter((file) => file.endsWith('.log'));
    for (const name of [...children, 'platform', 'postgres', 'migrate-registry', 'migrate-feedback'])
      expect(files.some((file) => file.endsWith(`${name}.log`))).toBe(true);
    const secrets = JSON.parse(await readFile(path.join(home, 'secrets', 'postgres.json'), 'utf8')) as object;
    for (const file of files) {
      const text = await readFile(path.join(logs, file), 'utf8');
      for (const line of text.split('\n').filter(Boolean))
        expect(JSON.parse(line)).toMatchObject({
          time: expect.any(String) as string,
          msg: expect.any(String) as string,
        });
      for (const secret of Object.values(secrets)) expect(text).not.toContain(secret);
    }
  });
});
