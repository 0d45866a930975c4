import { describe, expect, it } from 'vitest';
import { settle } from '../../../test/doubles.ts';
import { sequenceWorld } from '../../../test/sequence-world.ts';

const start = { start: true };
const gone = 'sequence lost: the runtime of sequence 7 of digits is gone; send sequence_start again';

describe('a start', () => {
  it('that never left goes to the next of its hash, and what came behind it follows', () => {
    const { send, runtimes, state } = sequenceWorld(3);
    send('1', start);
    send('2');
    runtimes[0]!.fail('1', 'unsent');
    send('3');
    runtimes[0]!.fail('2', 'unsent');
    expect(runtimes[1]!.texts.map((text) => text[0])).toEqual(['1', '2', '3']);
    for (const text of ['1', '2', '3']) runtimes[1]!.answer(text);
    expect(state.ended).toEqual(['1', '2', '3'].map((text) => `${text} from ${runtimes[1]!.address}@3`));
    expect(state.failed).toEqual(['unsent retried', 'unsent retried']);
  });

  it('does not come after one that was sent behind it', () => {
    const { send, runtimes, state } = sequenceWorld(2);
    send('1', start);
    state.ready = [runtimes[1]!];
    send('2', start);
    runtimes[0]!.fail('1', 'unsent');
    expect(runtimes[1]!.texts.map((text) => text[0])).toEqual(['2']);
    expect(state.ended).toEqual(['1: unavailable: sequence 7 of digits was begun anew before this could be sent']);
  });

  it('that can be sent to nobody fails, and so does what came behind it', () => {
    const { send, runtimes, state, searches } = sequenceWorld(1);
    send('1', start);
    send('2');
    runtimes[0]!.fail('1', 'unsent');
    runtimes[0]!.fail('2', 'unsent');
    expect(state.ended).toEqual([
      '1: unavailable: the runtime could not be reached and no other runtime has digits version 3',
      '2: failed-precondition: sequence lost: the sequence_start of sequence 7 of digits could not be sent; send sequence_start again',
    ]);
    // What it had been before must not be found.
    send('3');
    expect([searches, state.ended[2]]).toEqual([[], expect.stringContaining('sequence lost: the sequence_start')]);
    state.ready = [];
    send('4', start);
    expect(state.ended[3]).toContain('4: unavailable: digits version 3 is ready on no runtime');
  });

  it('passes a runtime by whose breaker is open; what goes on waits for it to close', () => {
    const { send, runtimes, state } = sequenceWorld(2);
    runtimes[0]!.isBroken = true;
    send('1', start);
    runtimes[1]!.answer('1');
    runtimes[1]!.isBroken = true;
    send('2');
    send('3', start);
    expect(state.ended.slice(1)).toEqual([
      '2: unavailable: digits version 3 keeps failing on its runtime; try again later',
      '3: unavailable: digits version 3 keeps failing on every runtime that has it; try again later',
    ]);
    runtimes[1]!.isBroken = false;
    expect(runtimes[0]!.sent).toEqual([]);
  });

  it('does not go on when its runtime was lost with it', async () => {
    const { send, runtimes, state, searches } = sequenceWorld(2);
    send('1', start);
    runtimes[0]!.fail('1', 'lost');
    send('2');
    searches[0]!.answer({ kind: 'nowhere' });
    await settle();
    expect(state.ended).toEqual([`1: failed-precondition: ${gone}`, `2: failed-precondition: ${gone}`]);
    expect(runtimes[1]!.sent).toEqual([]);
  });

  it('that ran out of time leaves it to the runtime whether it began', () => {
    const { send, runtimes, state, searches } = sequenceWorld(1);
    const call = send('1', start);
    send('2');
    call.cancel('deadline-exceeded');
    runtimes[0]!.fail('1', 'local', 'cancelled');
    expect(runtimes[0]!.verdicts).toEqual(['unanswered']);
    runtimes[0]!.answer('2');
    expect(state.ended).toEqual([`2 from ${runtimes[0]!.address}@3`]);
    send('3');
    expect(searches).toEqual([]);
  });
});
