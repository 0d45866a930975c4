import { SluiceError } from '@sluice/domain/errors';
import type { StoredBlock } from '@sluice/evidence/spool/contract';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it, onTestFinished } from 'vitest';
import { recordingLogger, settle } from '../../test/doubles.ts';
import type { BlockSource, FeedbackPort, IngestAnswer } from './sender.ts';
import { Sender } from './sender.ts';

/** Blocks of ten bytes at positions from 1 on, and what is acknowledged of them. */
class MemorySource implements BlockSource {
  acknowledged = 0;
  readonly #blocks: StoredBlock[] = [];
  #more: (() => void)[] = [];
  openCursors = 0;
  /** The disk does not give this one. */
  failsAt: number | undefined;

  append(...positions: readonly number[]): void {
    for (const position of positions) this.#blocks.push({ position, block: Buffer.alloc(10), timeMs: 0 });
    this.#wake();
  }

  appendLarge(position: number, bytes: number): void {
    this.#blocks.push({ position, block: Buffer.alloc(bytes), timeMs: 0 });
    this.#wake();
  }

  acknowledge(position: number): void {
    this.acknowledged = position;
  }

  read(after: number) {
    let last = after;
    let isClosed = false;
    this.openCursors++;
    return {
      next: async (): Promise<StoredBlock | undefined> => {
        for (;;) {
          if (isClosed) return undefined;
          const found = this.#blocks.find(({ position }) => position > last);
          if (found) {
            last = found.position;
            return found;
          }
          await new Promise<void>((resolve) => this.#more.push(resolve));
        }
      },
      poll: async (): Promise<StoredBlock | undefined> => {
        const found = isClosed ? undefined : this.#blocks.find(({ position }) => position > last);
        if (found && found.position === this.failsAt) throw new Error('EIO');
        if (found) last = found.position;
        return found;
      },
      close: async (): Promise<void> => {
        isClosed = true;
        this.openCursors--;
        this.#wake();
      },
    };
  }

  #wake(): void {
    const waiting = this.#more;
    this.#more = [];
    for (const wake of waiting) wake();
  }
}

/** A feedback that answers when the test says so. */
class PuppetFeedback implements FeedbackPort {
  /** Positions by stream. */
  readonly received: number[][] = [];
  /** Of what travelled together. */
  readonly groups: number[][] = [];
  #answer: ((answer: IngestAnswer | Error | 'end') => void) | undefined;

  async *ingest(
    blocks: AsyncIterable<readonly StoredBlock[]>,
    signal: AbortSignal,
  ): AsyncGenerator<IngestAnswer, void, undefined> {
    const received: number[] = [];
    this.received.push(received);
    const reading = async (): Promise<void> => {
      for await (const group of blocks) {
        this.groups.push(group.map(({ position }) => position));
        received.push(...group.map(({ position }) => position));
      }
    };
    // What the blocks fail with ends the stream, as the test says.
    void reading().catch(() => undefined);
    for (;;) {
      const answer = await new Promise<IngestAnswer | Error | 'end'>((resolve) => {
        this.#answer = resolve;
        signal.addEventListener('abort', () => resolve('end'));
      });
      if (answer === 'end') return;
      if (answer instanceof Error) throw answer;
      yield answer;
    }
  }

  async answer(answer: IngestAnswer | Error | 'end'): Promise<void> {
    this.#answer!(answer);
    await settle();
  }
}

/** What a log has that shows no stacks. */
const messagesOf = (lines: readonly Record<string, unknown>[]) =>
  lines.filter((line) => line['severity'] !== 'debug').map((line) => line['msg']);

async function setUp() {
  const clock = new FakeClock();
  const { logger, lines } = recordingLogger();
  const [source, feedback] = [new MemorySource(), new PuppetFeedback()];
  const connections: boolean[] = [];
  const learnt: number[] = [];
  const learn = (number: number) => void learnt.push(number);
  const erasures = { learn, applied: 0, onApplied: () => () => undefined };
  const sender = new Sender({
    ...{ source, feedback, erasures, clock, logger, backoffMs: (failures) => failures * 100 },
    onConnection: (up) => connections.push(up),
  });
  const stop = new AbortController();
  const ended = sender.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await ended;
  });
  await settle();
  return { clock, lines, source, feedback, connections, learnt, sender, stop, ended };
}

describe('Sender', () => {
  it('sends nothing before feedback says how much it takes, and then what is there and what comes', async () => {
    const { clock, source, feedback, connections } = await setUp();
    source.append(1, 2);
    await settle();
    expect([feedback.received, connections]).toEqual([[[]], []]);
    await feedback.answer({ acknowledged: 0, windowBytes: 1000, erasures: 0 });
    source.append(7);
    clock.advance(10);
    await settle();
    expect([feedback.received, connections]).toEqual([[[1, 2, 7]], [true]]);
  });

  it('sends a block that comes alone at once, and together what comes within ten milliseconds', async () => {
    const { clock, source, feedback } = await setUp();
    await feedback.answer({ acknowledged: 0, windowBytes: 1000, erasures: 0 });
    source.append(1);
    await settle();
    expect(feedback.groups).toEqual([[1]]);
    source.append(2);
    clock.advance(9);
    await settle();
    source.append(3);
    await settle();
    expect(feedback.groups).toEqual([[1]]);
    clock.advance(1);
    await settle();
    expect(feedback.groups).toEqual([[1], [2, 3]]);
    clock.advance(10);
    source.append(4);
    await settle();
    expect(feedback.groups).toEqual([[1], [2, 3], [4]]);
  });

  it('lets nothing wait that lies behind a full group', async () => {
    const { source, feedback } = await setUp();
    for (let position = 1; position <= 20; position++) source.appendLarge(position, 20_000);
    await feedback.answer({ acknowledged: 0, windowBytes: 1_000_000, erasures: 0 });
    await settle();
    expect(feedback.groups).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 10, 11, 12],
      [13, 14, 15, 16],
      [17, 18, 19, 20],
    ]);
  });

  it('sends what it has read before the disk fails, and then begins anew', async () => {
    const { clock, source, feedback } = await setUp();
    source.append(1, 2, 3);
    source.failsAt = 3;
    await feedback.answer({ acknowledged: 0, windowBytes: 1000, erasures: 0 });
    expect(feedback.groups).toEqual([[1, 2]]);
    source.failsAt = undefined;
    await feedback.answer(new Error('the stream ended with the disk'));
    clock.advance(100);
    await settle();
    await feedback.answer({ acknowledged: 0, windowBytes: 1000, erasures: 0 });
    expect(feedback.groups).toEqual([
      [1, 2],
      [1, 2, 3],
    ]);
  });

  it('lets no large block wait for others, nor what is behind it', async () => {
    const { source, feedback } = await setUp();
    await feedback.answer({ acknowledged: 0, windowBytes: 1_000_000, erasures: 0 });
    source.append(1);
    await settle();
    source.appendLarge(2, 70_000);
    await settle();
    expect(feedback.groups).toEqual([[1], [2]]);
    source.appendLarge(3, 70_000);
    source.append(4);
    await settle();
    expect(feedback.groups).toEqual([[1], [2], [3], [4]]);
  });

  it('hears of orders to erase with every answer', async () => {
    const { feedback, learnt } = await setUp();
    await feedback.answer({ acknowledged: 0, windowBytes: 20, erasures: 4 });
    await feedback.answer({ acknowledged: 0, windowBytes: 20, erasures: 5 });
    expect(learnt).toEqual([4, 5]);
  });

  it('has no more under way than the window lets', async () => {
    const { clock, source, feedback } = await setUp();
    source.append(1, 2, 3, 4, 5);
    await feedback.answer({ acknowledged: 0, windowBytes: 20, erasures: 0 });
    expect(feedback.received).toEqual([[1, 2]]);
    clock.advance(10);
    await feedback.answer({ acknowledged: 1, windowBytes: 20, erasures: 0 });
    expect(feedback.received).toEqual([[1, 2, 3]]);
  });

  it('lets go of what is stored, and of nothing else', async () => {
    const { source, feedback } = await setUp();
    source.append(3, 4);
    await feedback.answer({ acknowledged: 0, windowBytes: 1000, erasures: 0 });
    expect(source.acknowledged).toBe(0);
    await feedback.answer({ acknowledged: 3, windowBytes: 1000, erasures: 0 });
    expect(source.acknowledged).toBe(3);
    // An answer of an earlier state takes nothing back.
    await feedback.answer({ acknowledged: 0, windowBytes: 1000, erasures: 0 });
    expect(source.acknowledged).toBe(3);
  });

  it('sends again what was not acknowledged when the stream broke, after a pause that grows', async () => {
    const { clock, lines, source, feedback, connections, sender } = await setUp();
    source.append(1, 2, 3);
    await feedback.answer({ acknowledged: 0, windowBytes: 1000, erasures: 0 });
    await feedback.answer({ acknowledged: 1, windowBytes: 1000, erasures: 0 });
    await feedback.answer(new Error('it is gone'));
    expect([connections, sender.connected]).toEqual([[true, false], false]);
    clock.advance(99);
    await settle();
    expect(feedback.received).toHaveLength(1);
    clock.advance(1);
    await settle();
    await feedback.answer(new Error('it is still gone'));
    clock.advance(199);
    await settle();
    expect(feedback.received).toHaveLength(2);
    clock.advance(1);
    await settle();
    await feedback.answer({ acknowledged: 0, windowBytes: 1000, erasures: 0 });
    expect(feedback.received).toEqual([[1, 2, 3], [], [2, 3]]);
    // Said once, however long it lasts; and when it is over.
    expect(messagesOf(lines)).toEqual([
      'evidence is sent to feedback',
      'evidence cannot be sent: it waits in the spool',
    ]);
    await feedback.answer({ acknowledged: 3, windowBytes: 1000, erasures: 0 });
    expect(lines.at(-1)?.['msg']).toBe('evidence is sent to feedback');
    expect(source.openCursors).toBe(1);
  });

  it('waits longer and longer for a feedback that greets and stores nothing, and says so once', async () => {
    const { clock, lines, source, feedback } = await setUp();
    source.append(1);
    for (const failures of [1, 2, 3]) {
      await feedback.answer({ acknowledged: 0, windowBytes: 1000, erasures: 0 });
      await feedback.answer(new Error('its database is full'));
      clock.advance(failures * 100 - 1);
      await settle();
      expect(feedback.received).toHaveLength(failures);
      clock.advance(1);
      await settle();
      expect(feedback.received).toHaveLength(failures + 1);
    }
    await feedback.answer({ acknowledged: 1, windowBytes: 1000, erasures: 0 });
    expect(messagesOf(lines)).toEqual([
      'evidence is sent to feedback',
      'evidence cannot be sent: it waits in the spool',
      'evidence is sent to feedback',
    ]);
  });

  it('says nothing of a stream that was ended because nothing came for long', async () => {
    const { clock, lines, feedback } = await setUp();
    await feedback.answer({ acknowledged: 0, windowBytes: 1000, erasures: 0 });
    await feedback.answer(new SluiceError('deadline-exceeded', 'nothing came for five minutes'));
    clock.advance(100);
    await settle();
    expect([feedback.received.length, lines.map(({ level, msg }) => [level, msg])]).toEqual([
      2,
      [[lines[0]!['level'], 'evidence is sent to feedback']],
    ]);
  });

  it('goes to another when a feedback ends the stream, as one does that stops', async () => {
    const { clock, source, feedback } = await setUp();
    await feedback.answer({ acknowledged: 0, windowBytes: 1000, erasures: 0 });
    await feedback.answer('end');
    clock.advance(100);
    await settle();
    source.append(1);
    await feedback.answer({ acknowledged: 0, windowBytes: 1000, erasures: 0 });
    expect(feedback.received).toEqual([[], [1]]);
  });

  it('stops while it waits for a block, for the window, and between two tries', async () => {
    for (const until of ['block', 'window', 'pause']) {
      const { source, feedback, stop, ended } = await setUp();
      if (until === 'window') source.append(1);
      if (until === 'block') await feedback.answer({ acknowledged: 0, windowBytes: 1000, erasures: 0 });
      if (until === 'pause') await feedback.answer(new Error('gone'));
      stop.abort();
      await ended;
      expect(source.openCursors).toBe(0);
    }
  });
});
