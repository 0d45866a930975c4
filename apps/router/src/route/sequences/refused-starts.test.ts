import { failedPrecondition } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import { settle } from '../../../test/doubles.ts';
import { sequenceWorld } from '../../../test/sequence-world.ts';

const start = { start: true };
const refused =
  'failed-precondition: sequence lost: the sequence_start of sequence 7 of digits was refused; send sequence_start again';

/** A sequence that lives on the first runtime. */
function begun(runtimes = 2) {
  const world = sequenceWorld(runtimes);
  world.send('old', start);
  world.runtimes[0]!.answer('old');
  world.state.ended.length = 0;
  return { ...world, owner: world.runtimes[0]! };
}

describe('a start that was refused', () => {
  it('leaves no sequence: what comes behind it is lost on every version, and nobody is asked', () => {
    const { sequences, send, owner, state, searches } = begun();
    sequences.refused('digits', 7n);
    expect([sequences.known, sequences.has(undefined, 'digits', 7n)]).toEqual([0, true]);
    send('1');
    send('2', { version: '3' });
    send('3', { version: '4' });
    expect(state.ended).toEqual(['1', '2', '3'].map((text) => `${text}: ${refused}`));
    expect([owner.texts.length, searches]).toEqual([1, []]);
    send('4', start);
    owner.answer('4');
    send('5');
    owner.answer('5');
    expect(state.ended.slice(3)).toEqual(['4', '5'].map((text) => `${text} from ${owner.address}@3`));
  });

  it('is remembered where nothing was known of the sequence: it may live through another router', () => {
    const { sequences, send, state, searches } = sequenceWorld(2);
    sequences.refused('digits', 7n);
    send('1');
    expect([state.ended, searches]).toEqual([[`1: ${refused}`], []]);
  });

  it('has its turn behind those that came before it', async () => {
    const { sequences, send, state, searches, runtimes, there } = sequenceWorld(1);
    send('1');
    for (let count = 0; count < 3; count++) sequences.refused('digits', 7n);
    send('2');
    expect(searches).toHaveLength(1);
    searches[0]!.answer(there(runtimes[0]!));
    await settle();
    runtimes[0]!.answer('1');
    expect(state.ended).toEqual([`2: ${refused}`, `1 from ${runtimes[0]!.address}@3`]);
  });

  it('ends nothing that begins after it', () => {
    const { sequences, send, owner } = begun();
    sequences.refused('digits', 7n);
    send('1', start);
    send('2');
    expect(owner.texts.map((text) => text.trim())).toEqual(['old', '1', '2']);
  });
});

describe('a sequence whose version is quarantined', () => {
  it('gets no further, known or found, and goes on once that is lifted', async () => {
    const { send, owner, state, searches, there } = begun();
    state.quarantined = failedPrecondition('in quarantine');
    send('1');
    send('2', { id: 8n });
    searches[0]!.answer(there(owner));
    await settle();
    expect(state.ended).toEqual(['1', '2'].map((text) => `${text}: failed-precondition: in quarantine`));
    expect(owner.texts).toHaveLength(1);
    state.quarantined = undefined;
    send('3');
    owner.answer('3');
    expect(state.ended[2]).toBe(`3 from ${owner.address}@3`);
  });
});

describe('a start that goes nowhere', () => {
  it('leaves no sequence when its caller gave up while it waited for its turn', async () => {
    const { send, state, searches, runtimes, there } = sequenceWorld(1);
    send('1');
    const waiting = send('2', start);
    send('3');
    waiting.cancel('deadline-exceeded');
    searches[0]!.answer(there(runtimes[0]!));
    await settle();
    expect(runtimes[0]!.texts.map((text) => text.trim())).toEqual(['1']);
    expect(state.ended).toEqual([
      '3: failed-precondition: sequence lost: the sequence_start of sequence 7 of digits was not sent in time; send sequence_start again',
    ]);
  });

  it('leaves none when a runtime refuses it and another one has the old sequence', () => {
    for (const kind of ['resource-exhausted', 'not-found', 'failed-precondition', 'internal'] as const) {
      const { send, owner, runtimes, state, searches } = begun();
      const other = runtimes[1]!;
      state.ready = [other];
      send('1', start);
      send('2');
      other.fail('1', 'answered', kind);
      other.fail('2', 'answered', 'failed-precondition');
      send('3');
      expect(state.ended[2]).toContain(
        '3: failed-precondition: sequence lost: the sequence_start of sequence 7 of digits failed;',
      );
      expect([owner.sent.length, other.sent.length, searches]).toEqual([1, 2, []]);
      send('4', start);
      other.answer('4');
      expect(state.ended.at(-1)).toBe(`4 from ${other.address}@3`);
    }
  });

  it('leaves none when nothing before it waits any more either', async () => {
    const { send, state, searches, runtimes, there } = sequenceWorld(1);
    const calls = [send('1'), send('2', start)];
    for (const call of calls) call.cancel('cancelled');
    send('3');
    searches[0]!.answer(there(runtimes[0]!));
    await settle();
    expect([runtimes[0]!.sent, state.ended.length]).toEqual([[], 1]);
    expect(state.ended[0]).toContain('was not sent in time');
  });

  it('leaves none when it never got to the runtime of the old sequence, and the next one refuses it', () => {
    const { send, owner, runtimes, state, searches } = begun();
    send('1', start);
    owner.fail('1', 'unsent');
    runtimes[1]!.fail('1', 'answered', 'internal');
    send('2');
    expect([state.ended.length, searches]).toEqual([2, []]);
    expect(state.ended[1]).toContain('the sequence_start of sequence 7 of digits failed');
  });

  it('is asked for where no other sequence is known: it may have begun through another router', () => {
    const { send, owner, searches } = begun();
    send('1', start);
    owner.fail('1', 'answered', 'resource-exhausted');
    send('2');
    expect(searches).toHaveLength(1);
  });

  it('leaves none either when its link cannot take it', () => {
    const { send, owner, state } = begun();
    const works = owner.send.bind(owner);
    owner.send = () => {
      throw new Error('channel is closed');
    };
    send('1', start);
    owner.send = works;
    send('2');
    expect(state.ended).toEqual([
      '1: internal: internal error',
      '2: failed-precondition: sequence lost: the sequence_start of sequence 7 of digits could not be sent; send sequence_start again',
    ]);
    expect(owner.texts).toHaveLength(1);
  });
});
