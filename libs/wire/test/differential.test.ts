import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { differences } from './differences.ts';
import { startPair } from './differential-servers.ts';
import type { Pair } from './differential-servers.ts';
import { exchange } from './exchange.ts';
import type { Verdict } from './exchange.ts';
import { cases, inStates } from './frame-cases.ts';
import { lawful } from './lawful-cases.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await startPair();
});
afterAll(() => pair.close());

/** What became of stream 1, or of the connection, in the words of the table of differences. */
function inShort({ connection, streams }: Verdict): string {
  if (connection !== 'open') return connection;
  const [, status, grpcStatus] = /^:status=(\d+) grpc-status=(\d+)/.exec(streams[1] ?? '') ?? [];
  if (status !== undefined) return `answered ${status === '200' ? grpcStatus! : status}`;
  return streams[1] ?? 'nothing';
}

describe('the same octets to our server and to one of node:http2', () => {
  it.each([...cases, ...inStates, ...lawful])('$name', async ({ name, phases }) => {
    const ours = await exchange(pair.ours, phases);
    const theirs = await exchange(pair.theirs, phases);
    const known = differences.find(({ cases: names }) => names.includes(name));
    // One that is gone has to leave the table.
    if (known === undefined) expect(ours).toEqual(theirs);
    else expect({ ours: inShort(ours), theirs: inShort(theirs) }).toEqual({ ours: known.ours, theirs: known.theirs });
  });

  it('has only differences that are cases', () => {
    const all = new Set([...cases, ...inStates].map(({ name }) => name));
    const listed = differences.flatMap(({ cases: names }) => names);
    expect([listed.filter((name) => !all.has(name)), new Set(listed).size]).toEqual([[], listed.length]);
  });
});
