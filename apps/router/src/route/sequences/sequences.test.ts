import { notFound } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import { settle } from '../../../test/doubles.ts';
import { modelRoute } from '../../../test/routes.ts';
import { sequenceWorld } from '../../../test/sequence-world.ts';
import { namedNumber } from './sequences.ts';

const start = { start: true };
const trimmed = (texts: readonly string[]) => texts.map((text) => text.trim());

/** A world whose sequence 7 has begun on its owner. */
function begun(count = 3) {
  const world = sequenceWorld(count);
  const owner = world.runtimes[0]!;
  world.send('s', start);
  owner.answer('s');
  world.state.ended.length = 0;
  return { ...world, owner };
}

describe('a sequence', () => {
  it('begins on the owner of its hash and stays there, whatever joins, drains or says the release', () => {
    const { state, send, runtimes, owner, sequences } = begun(2);
    expect(sequences.known).toBe(1);
    state.ready = [runtimes[1]!];
    for (const version of ['', 'champion', '3']) {
      send(`v${version}`, { version });
      owner.answer(`v${version}`);
    }
    expect(state.ended).toEqual(['v', 'vchampion', 'v3'].map((text) => `${text} from ${owner.address}@3`));
    expect(runtimes[1]!.sent).toEqual([]);
    // Its version is written behind what does not name it.
    expect(owner.sent.map(({ bytes }) => bytes > 12)).toEqual([true, true, true, false]);
  });

  it('goes by its id alone: another id of either kind is another sequence', () => {
    const { runtimes, send, searches } = begun(1);
    send('text', { id: '7' });
    send('eight', { id: 8n });
    expect(runtimes[0]!.sent).toHaveLength(1);
    expect(searches.map(({ question }) => question.id)).toEqual(['7', 8n]);
  });

  it('ends with the answer to its end', () => {
    const { send, owner, searches, sequences } = begun();
    send('end', { end: true });
    expect(sequences.known).toBe(1);
    owner.answer('end');
    expect(sequences.known).toBe(0);
    send('later');
    expect(searches).toHaveLength(1);
  });

  it('does not end with an end that was refused', () => {
    const { send, owner, searches } = begun();
    send('end', { end: true });
    owner.fail('end', 'answered', 'resource-exhausted');
    send('again');
    expect([searches.length, owner.sent.length]).toEqual([0, 3]);
  });

  it('begins anew with another start, at the version that the routes have now', () => {
    const { send, owner, state } = begun();
    send('new', { ...start, routed: 4 });
    send('next');
    owner.answer('new');
    owner.answer('next');
    expect(state.ended).toEqual([`new from ${owner.address}@4`, `next from ${owner.address}@4`]);
  });

  it('that began in between is not forgotten with the end of the last', () => {
    const { send, owner, searches } = begun();
    send('end', { end: true });
    send('new', start);
    owner.answer('end');
    owner.answer('new');
    send('next');
    expect([searches.length, trimmed(owner.texts)]).toEqual([0, ['s', 'end', 'new', 'next']]);
  });

  it('is not kept when its start was refused', () => {
    const { send, runtimes, searches, sequences } = sequenceWorld(1);
    send('s', start);
    runtimes[0]!.fail('s', 'answered', 'resource-exhausted');
    expect(sequences.known).toBe(0);
    send('next');
    expect(searches).toHaveLength(1);
  });

  it('is one of so many that are remembered; what is under way is not forgotten', () => {
    const { send, runtimes, searches } = sequenceWorld(1, { maxSequences: 2 });
    for (const id of [1n, 2n, 3n]) {
      send(`s${id.toString()}`, { id, start: true });
      if (id !== 1n) runtimes[0]!.answer(`s${id.toString()}`);
    }
    for (const id of [1n, 3n, 2n]) send('next', { id });
    expect(searches.map(({ question }) => question.id)).toEqual([2n]);
  });
});

describe('the order of a sequence', () => {
  it('is that of its requests, sent before the start is answered', () => {
    const { send, runtimes } = sequenceWorld(2);
    send('1', start);
    for (const text of ['2', '3', '4']) send(text);
    expect(trimmed(runtimes[0]!.texts)).toEqual(['1', '2', '3', '4']);
    expect(runtimes[1]!.sent).toEqual([]);
  });

  it('does not hang on one whose caller gave up', () => {
    const { send, owner, state } = begun();
    const first = send('1');
    send('2', { bytes: 1_000 });
    first.cancel('cancelled');
    expect(owner.sent[1]!.isCancelled).toBe(true);
    owner.answer('2');
    expect(state.ended).toEqual([`2 from ${owner.address}@3`]);
    owner.fail('1', 'local', 'cancelled');
    expect([owner.verdicts.at(-1), state.failed]).toEqual(['released', []]);
  });

  it('keeps large requests alone on their way', () => {
    const { send, owner, state } = begun();
    send('1');
    send('large', { bytes: 1_000 });
    send('3');
    expect(owner.sent).toHaveLength(2);
    owner.answer('1');
    expect(owner.sent).toHaveLength(3);
    owner.answer('large');
    expect(owner.sent).toHaveLength(4);
    owner.answer('3');
    expect(state.ended.map((text) => text.split(' ')[0])).toEqual(['1', 'large', '3']);
  });
});

describe('a sequence that this router does not know', () => {
  it('is searched for once, for all that wait for it, and remembered', async () => {
    const { send, searches, there, runtimes, state, sequences } = sequenceWorld(2);
    for (const text of ['1', '2', '3']) send(text);
    send('4', { id: 8n, bytes: 1_000 });
    expect(searches.map(({ question }) => question)).toEqual([
      { model: 'digits', id: 7n, version: 0 },
      { model: 'digits', id: 8n, version: 0 },
    ]);
    searches[0]!.answer(there(runtimes[1]!, 2));
    await settle();
    send('5');
    expect(runtimes[1]!.texts.map((text) => text[0])).toEqual(['1', '2', '3', '5']);
    for (const text of ['1', '2', '3', '5']) runtimes[1]!.answer(text);
    expect(state.ended.at(-1)).toBe(`5 from ${runtimes[1]!.address}@2`);
    expect([sequences.known, searches.length]).toEqual([1, 2]);
    searches[1]!.answer(there(runtimes[0]!));
    await settle();
    expect(runtimes[0]!.texts.map((text) => text[0])).toEqual(['4']);
  });

  it('is lost when it lives nowhere, to all that waited; the next asks again', async () => {
    const { send, searches, state, sequences } = sequenceWorld(2);
    for (const text of ['1', '2']) send(text);
    searches[0]!.answer({ kind: 'nowhere' });
    await settle();
    const why = 'sequence lost: no runtime knows sequence 7 of digits; send sequence_start again';
    expect(state.ended).toEqual([`1: failed-precondition: ${why}`, `2: failed-precondition: ${why}`]);
    send('3');
    expect([searches.length, sequences.known]).toEqual([2, 0]);
  });

  it('may be there while a runtime cannot be asked', async () => {
    const { send, searches, state } = sequenceWorld(2);
    send('1', { id: 'a b' });
    searches[0]!.answer({ kind: 'unsure' });
    await settle();
    expect(state.ended[0]).toContain("1: unavailable: sequence 'a b' of digits may be on a runtime");
  });

  it('is searched for once more for those who ask for it on a version', async () => {
    const { send, searches, runtimes, there } = sequenceWorld(2);
    send('1');
    send('2', { version: '4' });
    send('3');
    searches[0]!.answer({ kind: 'nowhere' });
    await settle();
    expect(searches.map(({ question }) => question.version)).toEqual([0, 4]);
    searches[1]!.answer(there(runtimes[1]!, 4));
    await settle();
    expect(runtimes[1]!.texts.map((text) => text[0])).toEqual(['2']);
  });

  it('is lost when it ends where it was found, before all that waited had their turn', async () => {
    const { send, searches, runtimes, state, there } = sequenceWorld(1);
    send('1', { bytes: 1_000 });
    send('2');
    searches[0]!.answer(there(runtimes[0]!));
    await settle();
    runtimes[0]!.fail('1', 'answered', 'failed-precondition');
    expect([searches.length, state.ended[1]]).toEqual([
      1,
      '2: failed-precondition: sequence lost: sequence 7 of digits is not where it was; send sequence_start again',
    ]);
  });

  it('makes a start wait that comes behind, and begins it when nothing was found', async () => {
    const { send, searches, state, runtimes } = sequenceWorld(2);
    send('1');
    send('2', start);
    send('3');
    expect(runtimes[0]!.sent).toEqual([]);
    searches[0]!.answer({ kind: 'nowhere' });
    await settle();
    expect(runtimes[0]!.texts.map((text) => text[0])).toEqual(['2', '3']);
    for (const text of ['2', '3']) runtimes[0]!.answer(text);
    expect(state.ended.map((text) => text[0])).toEqual(['1', '2', '3']);
    expect(searches).toHaveLength(1);
  });

  it('leaves out one that gave up meanwhile', async () => {
    const { send, searches, there, runtimes, state } = sequenceWorld(1);
    const first = send('1');
    send('2');
    first.cancel('deadline-exceeded');
    searches[0]!.answer(there(runtimes[0]!));
    await settle();
    expect(runtimes[0]!.texts.map((text) => text[0])).toEqual(['2']);
    runtimes[0]!.answer('2');
    expect(state.ended.map((text) => text[0])).toEqual(['2']);
  });

  it('is that of the version, when a request names one by number', async () => {
    const { send, owner, searches, there, state } = begun();
    send('4', { version: '4' });
    expect(searches[0]!.question).toEqual({ model: 'digits', id: 7n, version: 4 });
    searches[0]!.answer({ kind: 'nowhere' });
    await settle();
    expect(state.ended[0]).toContain('sequence lost: no runtime knows sequence 7 of digits on version 4');
    send('3', { version: '3' });
    expect(owner.texts.at(-1)).toContain('3');
    send('5', { version: '4' });
    searches[1]!.answer(there(owner, 4));
    await settle();
    owner.answer('3');
    owner.answer('5');
    expect(state.ended.at(-1)).toBe(`5 from ${owner.address}@4`);
  });

  it('is not searched for when the routes do not have its model', async () => {
    const { send, searches, state, sequences } = sequenceWorld(1);
    send('1');
    searches[0]!.answer(notFound('Request for unknown model'));
    await settle();
    expect([state.ended, sequences.known]).toEqual([['1: not-found: Request for unknown model'], 0]);
  });

  it('is searched for again when the registry had forgotten its runtime', async () => {
    const { send, owner, searches } = begun();
    owner.state = 'closed';
    send('1');
    expect(searches).toHaveLength(1);
    await settle();
  });
});

const gone = 'sequence lost: the runtime of sequence 7 of digits is gone; send sequence_start again';

describe('a sequence whose runtime is lost', () => {
  it('is lost with it: to what was under way and to what comes after, until it begins again', async () => {
    const { send, owner, runtimes, state, searches, sequences } = begun();
    for (const text of ['1', '2']) send(text);
    owner.fail('1', 'lost');
    // It had not left yet, but those before it may have counted.
    owner.fail('2', 'unsent');
    for (const [index, found] of (['nowhere', 'unsure'] as const).entries()) {
      send(String(index + 3));
      expect(searches[index]!.question.except).toBe(owner);
      searches[index]!.answer({ kind: found });
      await settle();
    }
    expect(state.ended).toEqual(['1', '2', '3', '4'].map((text) => `${text}: failed-precondition: ${gone}`));
    expect(sequences.known).toBe(0);
    state.ready = runtimes.slice(1);
    send('5', start);
    runtimes[1]!.answer('5');
    expect(state.ended.at(-1)).toBe(`5 from ${runtimes[1]!.address}@3`);
    expect([sequences.known, searches.length]).toEqual([1, 2]);
  });

  it('is found where it was begun anew through another router', async () => {
    const { send, owner, runtimes, searches, there, state } = begun();
    owner.isLost = true;
    send('1');
    searches[0]!.answer(there(runtimes[1]!, 4));
    await settle();
    send('2');
    for (const text of ['1', '2']) runtimes[1]!.answer(text);
    expect(state.ended).toEqual(['1', '2'].map((text) => `${text} from ${runtimes[1]!.address}@4`));
    expect([owner.sent.length, searches.length]).toEqual([1, 1]);
  });

  it('is looked for where it was after a minute: somebody may have begun it there', async () => {
    const { send, owner, clock, searches } = begun();
    send('1');
    owner.fail('1', 'lost');
    for (const [index, wait] of [59_999, 1].entries()) {
      clock.advance(wait);
      send('2');
      searches[index]!.answer({ kind: 'nowhere' });
      await settle();
    }
    expect(searches.map(({ question }) => question.except)).toEqual([owner, undefined]);
  });

  it('is not lost while its link is made again, and is when that fails or the runtime stops', () => {
    const { send, owner, state } = begun();
    owner.state = 'connecting';
    send('1');
    owner.fail('1', 'unsent');
    expect(state.ended.pop()).toContain('1: unavailable: the runtime of sequence 7 of digits cannot be reached now');
    send('2');
    owner.answer('2');
    expect(state.ended.pop()).toBe(`2 from ${owner.address}@3`);
    send('3');
    owner.isLost = true;
    owner.fail('3', 'unsent');
    expect(state.ended.pop()).toBe(`3: failed-precondition: ${gone}`);
    const stopping = begun();
    stopping.owner.state = 'draining';
    stopping.send('1');
    stopping.owner.answer('1');
    stopping.send('2');
    stopping.owner.fail('2', 'unsent');
    expect(stopping.state.ended.map((text) => text.slice(0, 60))).toEqual([
      `1 from ${stopping.owner.address}@3`,
      '2: failed-precondition: sequence lost: the runtime of sequen',
    ]);
  });

  it('is forgotten when another process has the address, which says so itself', async () => {
    const { send, owner, state, searches } = begun();
    send('1');
    owner.fail('1', 'answered', 'failed-precondition');
    expect(state.ended).toEqual([`1: failed-precondition: ${owner.address} failed-precondition`]);
    send('2');
    expect(searches).toHaveLength(1);
  });

  it('is lost with the version that its runtime has no more', () => {
    const { send, owner, state, searches } = begun();
    send('1');
    owner.fail('1', 'answered', 'not-found');
    expect(state.ended[0]).toContain('1: failed-precondition: sequence lost: sequence 7 of digits was on version 3');
    send('2');
    expect(searches).toHaveLength(1);
  });

  it('is never sent to another runtime once it was sent', () => {
    for (const kind of ['unavailable', 'resource-exhausted', 'internal'] as const) {
      const { send, owner, runtimes, state } = begun();
      send('1');
      owner.fail('1', 'answered', kind);
      send('2', start);
      owner.fail('2', 'answered', kind);
      expect(state.ended.map((text) => text.split(': ')[1])).toEqual([kind, kind]);
      expect(runtimes.slice(1).flatMap(({ sent }) => sent)).toEqual([]);
      expect(state.failed).toEqual(['answered answered', 'answered answered']);
    }
  });
});

describe('namedNumber', () => {
  it('is the number that a request names, and 0 for aliases and nothing', () => {
    expect(['', 'champion', '4'].map((text) => namedNumber(text))).toEqual([0, 0, 4]);
    expect(() => namedNumber('-4')).toThrow('neither a version number nor an alias');
  });
});

describe('Sequences.has', () => {
  it('refuses ids of more than 128 bytes where they mean something', () => {
    const { sequences } = sequenceWorld(1);
    const keeps = modelRoute({ placed: [3], release: 3, sequences: true });
    const plain = modelRoute({ placed: [3], release: 3 });
    expect(['é'.repeat(64), 7n].map((id) => sequences.has(keeps, 'digits', id))).toEqual([true, true]);
    expect(sequences.has(plain, 'digits', 'é'.repeat(65))).toBe(false);
    expect(() => sequences.has(keeps, 'digits', 'é'.repeat(65))).toThrow(
      '"sequence_id": expected at most 128 bytes, got 130',
    );
  });
});
