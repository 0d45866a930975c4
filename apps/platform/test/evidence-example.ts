import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { env, execPath } from 'node:process';
import { createRegistryClient } from '@sluice/client/registry-client';
import type { RegistryClient } from '@sluice/client/registry-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectNothingInSpool, expectNothingInTables, writtenSegments } from './erased-traces.ts';
import { Printed, root } from './running-platform.ts';
import type { RunningPlatform } from './running-platform.ts';

/** `npm run example:evidence` on a platform that runs. */
export function evidenceExample(running: () => RunningPlatform): void {
  let platform: RunningPlatform;
  let registry: RegistryClient;
  beforeAll(() => {
    platform = running();
    registry = createRegistryClient(`127.0.0.1:${platform.ports.registry.port}`);
  });
  afterAll(() => registry.close());

  const start = (...args: readonly string[]): Printed => {
    const main = path.join(root, 'examples', 'evidence', 'src', 'main.ts');
    return new Printed(execPath, ['--conditions=@sluice/source', main, ...args], root, env);
  };
  const offset = (): string => `--port-offset=${platform.ports.router.port - 8001}`;
  /** The first row of the holdout digits as a request has it: it is of the first person. */
  const firstDigit = async (): Promise<Buffer> => {
    const [, line] = (await readFile(path.join(root, 'examples', 'models', 'digits', 'holdout.csv'), 'utf8')).split(
      '\n',
    );
    return Buffer.from(Float32Array.from(line!.split(',').slice(0, -1), Number).buffer);
  };
  const policy = async () => (await registry.registry.getModel({ name: 'digits' })).model!.settings!.capture!;

  it('predicts, labels, reads accuracy back and erases a subject, and the counts stay', async () => {
    const before = await policy();
    expect(before.request).toBe(false);
    const example = start(offset());
    // All that the subject ever has is in the spool by then, or was.
    await example.prints(/^sent 597 digits to cnn and to mlp/m, 60_000);
    const segments = await writtenSegments(platform);
    expect(segments).not.toEqual([]);
    expect(`${String(await example.ended)} ${example.text}`).toMatch(/^0 /);
    const lines = example.out.split('\n');
    expect(lines.filter((line) => /^(?:cnn|mlp) /.test(line))).toEqual([
      'cnn 0.9816 (586 of 597)',
      'mlp 0.9615 (574 of 597)',
      'cnn 0.9816 (586 of 597)',
      'mlp 0.9615 (574 of 597)',
    ]);
    for (const said of [
      /^evidence-\w+-person-0 has 20 predictions; 40 of 40 requests and responses can be read$/m,
      /^evidence-\w+-person-0 is erased: order [0-9a-f-]{36} is done$/m,
      /^ {2}table: 20 predictions are there, all 40 payloads are erased$/m,
      /^ {2}spool: nothing from before the erasure is in that of router$/m,
      /^ {2}dead letters: none of the subject among \d+$/m,
      /^the audit log verifies: \d+ entries; feedback\.erase_subject is entry \d+$/m,
    ])
      expect(example.out).toMatch(said);
    expect(await policy()).toEqual(before);

    // And past those who could only say so.
    const [, subject, erasureId] = /^(evidence-\w+-person-0) is erased: order ([0-9a-f-]{36}) /m.exec(example.out)!;
    const erased = { subject: subject!, erasureId: erasureId!, payload: await firstDigit() };
    await expectNothingInTables(platform, erased, 20);
    await expectNothingInSpool(platform, erased, segments);
  });

  it('puts what is kept back when it is stopped, and says what to do where it cannot run', async () => {
    const before = await policy();
    const example = start(offset());
    await example.prints(/keeps requests and responses of digits/, 30_000);
    example.child.kill('SIGINT');
    expect(await example.ended).toBe(130);
    expect(example.text).toContain('keeps of digits what it kept before');
    expect(await policy()).toEqual(before);

    await registry.registry.putRelease({
      ...{ model: 'digits', mode: 'RELEASE_MODE_FIXED', capture: { request: false } },
      arms: [{ name: 'primary', version: 3, role: 'ARM_ROLE_PRIMARY', weight: 1 }],
    });
    const shut = start(offset());
    expect(await shut.ended).toBe(1);
    await registry.registry.endRelease({ model: 'digits' });
    expect(shut.text).toMatch(/^the release of digits has a capture policy of its own/);

    const lost = start(offset(), '--registry=127.0.0.1:1');
    expect(await lost.ended).toBe(1);
    expect(lost.text).toMatch(/^unavailable: 127\.0\.0\.1:1 cannot be reached.*\nDoes `npm start` run\?/);
  });
}
