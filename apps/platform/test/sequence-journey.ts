import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { env } from 'node:process';
import { inferenceService, runtimeService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { root, shell } from './running-platform.ts';
import type { RunningPlatform } from './running-platform.ts';
import { SequenceClient, writeAccumulator } from './sequences.ts';

/** The whole way of somebody with a model that has a state, on a platform that runs: nothing is known of its insides. */
export function sequenceJourney(running: () => RunningPlatform): void {
  let platform: RunningPlatform;
  let router: SequenceClient;
  beforeAll(() => {
    platform = running();
    router = new SequenceClient(`127.0.0.1:${platform.ports.router.port}`);
  });
  afterAll(() => router.close());

  const cli = async (line: string) => {
    const variables = { ...env, SLUICE_REGISTRY: `127.0.0.1:${platform.ports.registry.port}` };
    return shell(`npx sluice ${line} 2>&1`, root, variables);
  };

  /** Sends steps of a sequence on one stream, all at once. @returns the sums, or how a step failed, in their order */
  async function onOneStream(id: number, steps: readonly object[]): Promise<string[]> {
    const client = createRpcClient(inferenceService, `127.0.0.1:${platform.ports.router.port}`, { clock: systemClock });
    const requests = steps.map((marks) => ({
      modelName: 'accumulator',
      modelVersion: 'live',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], contents: { fp32Contents: [1] } }],
      parameters: { sequence_id: { int64Param: id }, ...marks },
    }));
    const answers: string[] = [];
    try {
      for await (const { errorMessage, inferResponse } of client.modelStreamInfer(requests))
        answers.push(errorMessage || String(inferResponse!.rawOutputContents[0]!.readFloatLE()));
    } finally {
      client.close();
    }
    return answers;
  }

  /** The name of the process where a sequence lives. */
  async function ownerOf(id: number): Promise<string> {
    const owners: string[] = [];
    for (const [index, { port }] of platform.ports.runtimes.entries()) {
      const client = createRpcClient(runtimeService, `127.0.0.1:${port}`, { clock: systemClock });
      const { known } = await client.locateSequence({ model: 'accumulator', number: id });
      client.close();
      if (known) owners.push(`runtime-${index + 1}`);
    }
    expect(owners).toHaveLength(1);
    return owners[0]!;
  }

  it('is pushed as a folder and answers under its alias, call by call and on one stream', async () => {
    const folder = path.join(platform.home, 'accumulator');
    await mkdir(folder);
    await writeAccumulator(folder, 1);
    expect(await cli(`push accumulator ${folder}`)).toContain('accumulator version 1 is ready');
    await cli('alias set accumulator live 1');

    // Two sequences that take turns; one goes on on a stream, and ends there.
    for (const id of [1, 2]) expect(await router.step(id, 'start')).toBe('1 of version 1');
    for (const id of [1, 2]) expect(await router.step(id)).toBe('2 of version 1');
    expect(await onOneStream(1, [{}, {}, { sequence_end: { boolParam: true } }])).toEqual(['3', '4', '5']);
    expect(await router.step(2, 'end')).toBe('3 of version 1');
    for (const id of [1, 2]) expect(await router.step(id)).toMatch(/^failed-precondition: .*sequence lost/);
  });

  it('loses its sequences with the runtime that is killed, says so, and begins anew', async () => {
    const start = { sequence_start: { boolParam: true } };
    expect(await onOneStream(3, [start, {}])).toEqual(['1', '2']);
    const owner = await ownerOf(3);
    const back = platform.text.split(`${owner} is back`).length;
    process.kill(await platform.pidOf(owner), 'SIGKILL');
    await eventually(() => expect(platform.text.split(`${owner} is back`).length).toBeGreaterThan(back), 60_000);
    const outcome = await eventually(async () => {
      const said = await router.step(3);
      // Until the link to the runtime stands again, nobody can know.
      expect(said).not.toMatch(/^unavailable/);
      return said;
    }, 30_000);
    expect(outcome).toMatch(/^failed-precondition: .*sequence lost: .*; send sequence_start again/);
    const [lost] = await onOneStream(3, [{}]);
    expect(lost).toContain('sequence lost');
    expect(await onOneStream(3, [start, {}])).toEqual(['1', '2']);
    expect(await router.step(3, 'end')).toBe('3 of version 1');
  });
}
