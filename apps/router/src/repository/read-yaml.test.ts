import { SluiceError } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import { readYaml } from './read-yaml.ts';

const never = new AbortController().signal;

describe('readYaml', () => {
  it('reads YAML, and JSON as what it is', async () => {
    expect(await readYaml('# a comment\nbatching: { max_batch_size: 8 }\n', never)).toEqual({
      batching: { max_batch_size: 8 },
    });
    expect(await readYaml('{ graph: m.onnx }', never)).toEqual({ graph: 'm.onnx' });
    expect(await readYaml('{"graph": "m.onnx"}', never)).toEqual({ graph: 'm.onnx' });
    expect(await readYaml('', never)).toBeNull();
  });

  it('lets others have their turn meanwhile, and ends with its caller', async () => {
    const row = `  - ${JSON.stringify(Array.from({ length: 64 }, (_, index) => index / 7))}\n`;
    const large = `rows:\n${row.repeat(150)}`;
    let turns = 0;
    let over = false;
    const turn = (): void => {
      turns += 1;
      if (!over) setImmediate(turn);
    };
    turn();
    expect(((await readYaml(large, never)) as { rows: unknown[] }).rows).toHaveLength(150);
    over = true;
    expect(turns).toBeGreaterThan(10);
    await expect(readYaml('a: [', never)).rejects.toThrow('Flow sequence');
    const caller = new AbortController();
    const waiting = readYaml(large, caller.signal);
    caller.abort(new SluiceError('cancelled', 'gone'));
    await expect(waiting).rejects.toMatchObject({ kind: 'cancelled' });
  });
});
