import type { ErrorKind, SluiceError } from '@sluice/domain/errors';
import type { SequenceId } from '@sluice/inference/sequence';
import { RpcError } from '@sluice/rpc/status';
import type { FailureOrigin } from '@sluice/rpc/status';
import type { RawCallOptions, RawOutcome } from '@sluice/rpc/raw-client';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { RuntimeLink } from '../src/runtimes/runtime-link.ts';
import { RouterRetryBudget } from '../src/route/retry-tokens.ts';
import { byRendezvous } from '../src/runtimes/rendezvous.ts';
import type { Found, SequenceQuestion } from '../src/route/sequences/search.ts';
import { Sequences } from '../src/route/sequences/sequences.ts';
import { targetOf } from '../src/route/table.ts';
import { modelRoute } from './routes.ts';

interface Sent {
  readonly text: string;
  readonly bytes: number;
  readonly done: (outcome: RawOutcome) => void;
  isCancelled: boolean;
  isDone: boolean;
}

/** A runtime from a router's side: what was sent there, and a way to answer it. */
export class FakeRuntime {
  inFlight = 0;
  state = 'up';
  isLost = false;
  isBroken = false;
  readonly address: string;
  readonly sent: Sent[] = [];
  readonly verdicts: string[] = [];
  readonly #onSent: (runtime: FakeRuntime, text: string) => void;

  constructor(address: string, onSent: (runtime: FakeRuntime, text: string) => void) {
    this.address = address;
    this.#onSent = onSent;
  }

  get texts(): string[] {
    return this.sent.map(({ text }) => text);
  }

  send(_path: string, message: Uint8Array, { suffix }: RawCallOptions, done: (outcome: RawOutcome) => void) {
    const text = Buffer.from(message).toString().slice(0, 12);
    const sent: Sent = {
      text,
      bytes: message.byteLength + (suffix?.byteLength ?? 0),
      done,
      isCancelled: false,
      isDone: false,
    };
    this.sent.push(sent);
    this.#onSent(this, sent.text);
    return { cancel: () => void (sent.isCancelled = true) };
  }

  /** Answers what was sent with this text last. */
  answer(text: string): void {
    const answer = `${text} from ${this.address}`;
    this.#end(text, {
      ...{ error: undefined, message: Buffer.from(answer), messageArrived: true },
      trailer: () => undefined,
    });
  }

  fail(text: string, origin: FailureOrigin, kind: ErrorKind = 'unavailable', retryAfterMs?: number): void {
    const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
    const error = new RpcError(kind, `${this.address} ${kind}`, { origin, code: 14, ...wait });
    this.#end(text, { error, message: undefined, messageArrived: false, trailer: () => undefined });
  }

  #end(text: string, outcome: RawOutcome): void {
    const sent = this.sent.findLast((each) => each.text.startsWith(text) && !each.isDone)!;
    sent.isDone = true;
    sent.done(outcome);
  }

  get breaker() {
    const say = (what: string) => () => void this.verdicts.push(what);
    const permit = {
      ...{ succeed: say('succeeded'), fail: say('failed') },
      ...{ unanswered: say('unanswered'), release: say('released') },
    };
    return { begin: () => (this.isBroken ? undefined : permit) };
  }
}

export interface SendOptions {
  readonly id?: SequenceId;
  readonly start?: boolean;
  readonly end?: boolean;
  /** What a caller wrote as its version. */
  readonly version?: string;
  /** Version that the routes give a start. */
  readonly routed?: number;
  readonly bytes?: number;
}

/** The sequences of a router among fake runtimes, named in the order of the hash of sequence 7. */
export function sequenceWorld(count: number, settings: { readonly maxSequences?: number } = {}) {
  const clock = new FakeClock();
  const addresses = Array.from({ length: count }, (_, index) => ({ address: `r${index}:1` }));
  /** All that was sent, in its order. */
  const log: { readonly runtime: FakeRuntime; readonly text: string }[] = [];
  const runtimes = byRendezvous(addresses, 'digits 7').map(
    ({ address }) => new FakeRuntime(address, (runtime, text) => void log.push({ runtime, text })),
  );
  const { placed } = modelRoute({ placed: [3, 4], release: 3 });
  const state = {
    ready: runtimes as readonly FakeRuntime[],
    onDemand: [] as readonly FakeRuntime[],
    quarantined: undefined as SluiceError | undefined,
    /** Runtimes that cannot load it. */
    refused: [] as string[],
    whyNotLoaded: undefined as string | undefined,
    ended: [] as string[],
    failed: [] as string[],
  };
  const searches: { readonly question: SequenceQuestion; readonly answer: (found: Found | SluiceError) => void }[] = [];
  const budget = new RouterRetryBudget();
  const sequences = new Sequences({
    clock,
    budget,
    maxSequences: settings.maxSequences ?? 100,
    orderedBytes: 1_000,
    readyFor: () => state.ready as unknown as readonly RuntimeLink[],
    onDemandFor: () => state.onDemand as unknown as readonly RuntimeLink[],
    whyNotLoaded: () => state.whyNotLoaded,
    onCannotLoad: (link) => void state.refused.push(link.address),
    breakerOf: (link) => (link as unknown as FakeRuntime).breaker as never,
    onFailedAttempt: (_version, { origin }, retried) =>
      state.failed.push(`${origin} ${retried ? 'retried' : 'answered'}`),
    quarantineOf: () => state.quarantined,
    destination: targetOf,
    find: (question) =>
      new Promise((resolve, reject) => {
        searches.push({
          question,
          answer: (found) => ('kind' in found && 'message' in found ? reject(found) : resolve(found)),
        });
      }),
  });
  const send = (text: string, options: SendOptions = {}) => {
    const { id = 7n, start = false, end = false, version = '', routed = 3, bytes = 0 } = options;
    return sequences.send('digits', {
      mark: { id, start, end },
      route: start ? { version: placed.get(routed)!, choice: undefined } : undefined,
      versionText: version,
      number: /^\d/.test(version) ? Number(version) : 0,
      message: Buffer.concat([Buffer.from(text.padEnd(12)), Buffer.alloc(bytes)]),
      deadlineMs: 1_234,
      metadata: undefined,
      sending: () => undefined,
      retrying: () => undefined,
      done: (error, answer, _outcome, place) => {
        const where = place ? `@${place.version.text}` : '';
        state.ended.push(error ? `${text}: ${error.kind}: ${error.message}` : `${answer!.toString()}${where}`);
      },
    });
  };
  const there = (runtime: FakeRuntime, version = 3): Found => ({
    ...{ kind: 'there', version },
    link: runtime as unknown as RuntimeLink,
  });
  return { clock, runtimes, log, state, searches, sequences, send, there, budget };
}
