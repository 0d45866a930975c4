import type { CallContext } from '@sluice/rpc/handlers';
import { describe, expect, it } from 'vitest';
import type { RepositoryCall } from '../repository/repository.ts';
import { repositoryHandlers } from './repository-handlers.ts';
import type { RepositoryControl } from './repository-control.ts';

function setUp(repositoryControl: RepositoryControl) {
  const asked: string[] = [];
  const note =
    (verb: string) =>
    async ({ model }: { readonly model: string }, { actor, deadlineMs }: RepositoryCall) =>
      void asked.push(`${verb} ${model} by ${actor} until ${deadlineMs ?? 'ever'}`);
  const control = { load: note('load'), unload: note('unload') };
  const handlers = repositoryHandlers({ control, repositoryControl });
  const ask = (method: 'Load' | 'Unload', peer: string, actor?: string, repositoryName = '') => {
    const ctx: CallContext = {
      ...{ method, peer, deadlineMs: 7, signal: new AbortController().signal, actor: actor ?? 'anonymous' },
      metadata: (key) => (key === 'sluice-actor' ? actor : undefined),
      setTrailer: () => undefined,
    };
    const handler = handlers[`repositoryModel${method}`] as (request: object, ctx: CallContext) => Promise<object>;
    return handler({ repositoryName, modelName: 'm', parameters: {} }, ctx);
  };
  return { asked, ask };
}

describe('repositoryHandlers', () => {
  it('are for callers on this machine, unless they are open to everybody', async () => {
    const { asked, ask } = setUp('loopback');
    for (const method of ['Load', 'Unload'] as const)
      await expect(ask(method, '10.0.0.7:4711')).rejects.toMatchObject({ kind: 'permission-denied' });
    expect(asked).toEqual([]);
    await ask('Load', '[::ffff:127.0.0.1]:4711');
    const open = setUp('open');
    await open.ask('Unload', '10.0.0.7:4711');
    expect([...asked, ...open.asked]).toEqual([
      'load m by repository-control until 7',
      'unload m by repository-control until 7',
    ]);
  });

  it('change the registry in the name of the caller who gives one, and know no other repository', async () => {
    const { asked, ask } = setUp('loopback');
    await ask('Unload', '127.0.0.1:1', 'ann');
    expect(asked).toEqual(['unload m by ann until 7']);
    await expect(ask('Load', '127.0.0.1:1', 'ann', 'models')).rejects.toMatchObject({ kind: 'invalid-argument' });
    expect(asked).toHaveLength(1);
  });
});
