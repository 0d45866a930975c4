import { describe, expect, it } from 'vitest';
import type { Engine } from '../serving/engine.ts';
import type { Assignment } from './assignment.ts';
import { ServingTable, type TableVersion } from './serving-table.ts';
import type { VersionState } from './version-state.ts';

function version(number: number, state: VersionState, more: Partial<Assignment> = {}, reason = ''): TableVersion {
  const assignment = {
    model: 'digits',
    version: number,
    aliases: [],
    champion: false,
    serving: {},
    ...more,
  } as unknown as Assignment;
  const engine = state === 'ready' ? ({ number } as unknown as Engine) : undefined;
  return { assignment, state, reason, engine, live: engine, onDemand: state === 'evicted' };
}
const number = (engine: Engine): number => (engine as unknown as { number: number }).number;

describe('ServingTable', () => {
  const table = new ServingTable([
    version(1, 'ready', { aliases: ['champion', 'linear'], champion: true }),
    version(2, 'warming'),
    version(3, 'failed', {}, 'the graph is empty'),
    version(4, 'draining', { aliases: ['gone'] }),
    version(5, 'ready', { model: 'team/wdbc' }),
    version(6, 'ready', { model: 'team/wdbc' }),
    version(7, 'loading', { model: 'team/wdbc' }),
    version(1, 'downloading', { model: 'new' }),
  ]);

  it('finds versions by number, alias, champion, or the highest that is loaded', () => {
    expect(number(table.engine('digits', '1'))).toBe(1);
    expect(number(table.engine('digits', 'linear'))).toBe(1);
    expect(number(table.engine('digits', ''))).toBe(1);
    expect(number(table.engine('team/wdbc', ''))).toBe(6);
  });

  it.each([
    ['nobody', '', 'not-found', "Request for unknown model: 'nobody' is not found"],
    [
      'digits',
      '9',
      'not-found',
      "Request for unknown model: 'digits' version '9' is not found on this runtime; placed here: 1, 2, 3",
    ],
    ['digits', 'gone', 'not-found', "version 'gone'"],
    ['digits', '4', 'not-found', "version '4'"],
    ['digits', '2', 'unavailable', 'digits version 2 is not loaded yet: it is warming'],
    ['digits', '3', 'unavailable', 'digits version 3 is not loaded: the graph is empty'],
    ['new', '', 'unavailable', 'new has no version that is loaded; placed here: 1'],
    ['digits', '01', 'invalid-argument', 'model_version: "01" is neither a version number nor an alias'],
    ['', '', 'invalid-argument', 'model_name: expected the name of a model'],
  ])('says why "%s" version "%s" has no answer', (model, ref, kind, message) => {
    expect(() => table.engine(model, ref)).toThrow(
      expect.objectContaining({ kind, message: expect.stringContaining(message) as string }),
    );
  });

  it('does not go to another version while the champion is not loaded', () => {
    const moved = new ServingTable([
      version(1, 'ready'),
      version(2, 'loading', { champion: true, aliases: ['champion'] }),
    ]);
    expect(() => moved.engine('digits', '')).toThrow('digits version 2 is not loaded yet');
  });
});
