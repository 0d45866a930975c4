import { describe, expect, it } from 'vitest';
import type { CliContext } from '../context.ts';
import { cancelMove, deleteAlias, rollback, setAlias } from './aliases.ts';

/** A registry that keeps what it is asked; its model's champion is at revision 17. */
function setUp() {
  const asked: Record<string, unknown>[] = [];
  const move = { model: 'm', alias: 'champion', fromVersion: '2', toVersion: '1' };
  const answer = async (request: Record<string, unknown>) => {
    asked.push(request);
    return { move, revision: '18' };
  };
  const registry = {
    getModel: async () => ({ model: { aliases: [{ alias: 'champion', revision: '17' }] } }),
    moveAlias: answer,
    rollback: answer,
    cancelAliasMove: answer,
    deleteAlias: answer,
  };
  const context = {
    json: false,
    signal: new AbortController().signal,
    terminal: { out: () => undefined, note: () => undefined, bars: undefined, input: undefined },
    services: { registry },
  } as unknown as CliContext;
  return { context, asked };
}

const move = { wait: false, timeoutSeconds: 60 };

describe('a change of an alias', () => {
  it('goes with the revision that the alias had when the command began', async () => {
    const { context, asked } = setUp();
    await setAlias(context, 'm', 'champion', '2', move);
    await rollback(context, 'm', { wait: false });
    await cancelMove(context, 'm', 'champion');
    await deleteAlias(context, 'm', 'champion');
    expect(asked.map((request) => request['expectedRevision'])).toEqual(['17', '17', '17', '17']);
    await setAlias(context, 'm', 'new', '2', move);
    expect(asked.at(-1)).toMatchObject({ alias: 'new', expectedRevision: '0' });
  });

  it('goes with the revision that the person saw', async () => {
    const { context, asked } = setUp();
    await setAlias(context, 'm', 'champion', '2', { ...move, expectedRevision: '9' });
    await rollback(context, 'm', { wait: false, expectedRevision: '9' });
    await cancelMove(context, 'm', 'champion', '9');
    await deleteAlias(context, 'm', 'champion', '9');
    expect(asked.map((request) => request['expectedRevision'])).toEqual(['9', '9', '9', '9']);
  });
});
