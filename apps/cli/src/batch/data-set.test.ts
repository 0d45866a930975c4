import type { Column } from '@sluice/tabular/schema';
import { describe, expect, it } from 'vitest';
import type { CliContext } from '../context.ts';
import { checkRegistration, type Planned, type Registration } from './data-set.ts';

const sha256 = 'a'.repeat(64);
const column = (name: string, depth = 0): Column => ({ name, type: 'float', depth });
const planned: Planned = { sha256, columns: [column('y')], file: 'out.csv', format: 'csv', isFinished: false };
const wanted: Registration = { dataSet: 'digits/scored', input: { dataSet: 'digits/raw', version: 2 }, run: 'score@9' };

/** A registry that keeps what it is asked. */
function contextOf({ state = 'RUN_STATE_RUNNING', digest = sha256 } = {}) {
  const asked: unknown[] = [];
  const runs = { getRun: async ({ run }: { run: string }) => (asked.push(run), { run: { state } }) };
  const dataSets = { getDataSetVersion: async (ref: unknown) => (asked.push(ref), { version: { digest } }) };
  const services = { runs, dataSets };
  return { asked, context: { services, signal: new AbortController().signal } as unknown as CliContext };
}

describe('registration of an output', () => {
  it('is looked into before the run: its input, and the run that makes it', async () => {
    const { asked, context } = contextOf();
    await checkRegistration(context, undefined, planned);
    expect(asked).toEqual([]);
    await checkRegistration(context, wanted, planned);
    expect(asked).toEqual(['score@9', { dataSet: 'digits/raw', version: 2 }]);
    const other = contextOf({ digest: 'b'.repeat(64) });
    await expect(checkRegistration(other.context, wanted, planned)).rejects.toThrow(
      `--input-data-set: digits/raw@2 has the digest ${'b'.repeat(64)}, the input ${sha256}`,
    );
  });

  it('is refused for a run that has ended, but where the output is whole and may be registered', async () => {
    const ended = contextOf({ state: 'RUN_STATE_SUCCEEDED' });
    await expect(checkRegistration(ended.context, wanted, planned)).rejects.toMatchObject({
      ...{ code: 4, message: '--run: score@9 has ended, so it makes nothing more' },
    });
    await checkRegistration(ended.context, wanted, { ...planned, isFinished: true });
    expect(ended.asked).toHaveLength(2);
  });

  it.each<[string, Partial<Planned>, Partial<Registration>, RegExp]>([
    ['a name', {}, { dataSet: 'No' }, /^--data-set: "No" is not a name/],
    ['a column', { columns: [column('a\u0007')] }, {}, /^--data-set: the column .* 1 to 256 visible characters$/],
    ['many columns', { columns: Array.from({ length: 4_097 }, (_, at) => column(`c${at}`)) }, {}, /4097 given/],
    ['deep lists', { columns: [column('a', 12)] }, {}, /^columns\[0\]\.type: expected at most 64/],
    ['a long path', { file: 'x'.repeat(2_100) }, {}, /^location: .* at most 2,048/],
  ])('is refused for %s that no data set has', async (_, change, other, message) => {
    const { asked, context } = contextOf();
    await expect(checkRegistration(context, { ...wanted, ...other }, { ...planned, ...change })).rejects.toThrow(
      message,
    );
    expect(asked).toEqual([]);
  });
});
