import { sequenceLost } from '@sluice/batching/sequences/refusals';
import type { Clock } from '@sluice/domain/clock';
import { unavailable, type SluiceError } from '@sluice/domain/errors';
import type { SequenceId } from '@sluice/inference/sequence';
import type { Engine } from '../serving/engine.ts';
import { versionKey, type Assignment } from './assignment.ts';
import { Demanded, numberedVersion } from './demanded.ts';
import type { ServedVersion } from './served-version.ts';
import type { ServingTable } from './serving-table.ts';
import { WaitingRequests, type Leave, type WaitingRequest } from './waiting-requests.ts';

export interface OnDemandPorts {
  readonly clock: Clock;
  /** The table of now. */
  readonly table: () => ServingTable;
  /** A version that is served here, by its key. */
  readonly version: (key: string) => ServedVersion | undefined;
  /** What it takes to load a version that is not placed here; throws SluiceErrors. */
  readonly getAssignment: (model: string, version: number) => Promise<Assignment>;
  /** Serves a version that is not placed here. */
  readonly add: (assignment: Assignment) => void;
  /** Loads what is to be loaded next, unless a load is under way. */
  readonly loadNext: () => void;
  /** Runs it in a later turn. */
  readonly defer: (fn: () => void) => void;
}

/** When a request may come again that a runtime refused at its end, in milliseconds. */
const retryAfterMs = 1_000;

/** Requests for versions that are not loaded: they wait, and bring the load about. */
export class OnDemand {
  readonly #ports: OnDemandPorts;
  readonly #waiting: WaitingRequests;
  readonly #demanded: Demanded;
  /** What everybody is told from now on. */
  #over: SluiceError | undefined;

  constructor(ports: OnDemandPorts) {
    this.#ports = ports;
    this.#waiting = new WaitingRequests({ defer: ports.defer, engine: (key) => ports.version(key)?.engine });
    this.#demanded = new Demanded(ports.getAssignment, ports.clock);
  }

  /** Requests that wait now. */
  get count(): number {
    return this.#waiting.count;
  }

  /** Requests wait for that version. */
  isAwaited(key: string): boolean {
    return this.#waiting.has(key);
  }

  /**
   * Lets a request wait until its version is loaded, which it brings about: a version that gave way to others, or one that
   * is not placed here. The request is told when the version is ready, or why it does not come.
   * @param ref as in `ServingTable.engine`
   * @returns how it leaves the wait before its end
   * @throws SluiceError as `ServingTable.engine` where waiting would not help, resource-exhausted when too much is asked for,
   *   failed-precondition for a sequence that nothing has started, unavailable at the runtime's end
   */
  wait(model: string, ref: string, request: WaitingRequest): Leave {
    const table = this.#ports.table();
    const found = table.find(model, ref);
    const wanted = found?.assignment ?? numberedVersion(model, ref);
    if (!wanted || (found && !found.onDemand)) throw table.whyNot(model, ref);
    if (this.#over) throw this.#over;
    const key = versionKey(wanted);
    if (found) this.#checkSequence(key, found.assignment, request);
    const version = this.#ports.version(key);
    if (!version) this.#checkRefused(key, model, ref);
    const leave = this.#waiting.add(key, request);
    if (version) this.#demand(version);
    else {
      const failed = (error: SluiceError): void => this.#waiting.fail(key, this.#refusalOf(model, ref, error));
      this.#demanded.get(wanted, (assignment) => this.#found(assignment), failed);
    }
    return leave;
  }

  /** @throws SluiceError why it is not worth while to ask the registry for a version, or not now */
  #checkRefused(key: string, model: string, ref: string): void {
    const refusal = this.#demanded.refusal(key);
    if (refusal) throw this.#refusalOf(model, ref, refusal);
    this.#demanded.check(key);
  }

  /** What the registry does not know is not found as any other, with what there is. */
  #refusalOf(model: string, ref: string, error: SluiceError): SluiceError {
    const now = this.#ports.table();
    return error.kind === 'not-found' && !now.find(model, ref) ? now.whyNot(model, ref) : error;
  }

  /** The registry's watch has brought something: what it refused before may be there now. */
  news(): void {
    this.#demanded.forgetRefusals();
  }

  /** Requests that came earlier for that engine's version are still being handed over to it. */
  isBehind(engine: Engine): boolean {
    return this.#waiting.versionBehind(engine) !== undefined;
  }

  /** Lets a request for such an engine wait behind them. @returns how it leaves the wait before its end */
  waitBehind(engine: Engine, request: WaitingRequest): Leave {
    return this.#waiting.add(this.#waiting.versionBehind(engine)!, request);
  }

  /** A sequence that nobody has started lives nowhere, and nothing is loaded, nor unloaded, to say so. */
  #checkSequence(key: string, assignment: Assignment, { sequence }: WaitingRequest): void {
    if (!sequence || sequence.start || !assignment.serving.sequenceBatching) return;
    if (!this.#waiting.startWaits(key, sequence.id)) throw lost(assignment, sequence.id);
  }

  #demand(version: ServedVersion): void {
    version.demand();
    this.#ports.loadNext();
  }

  /** The registry has told of a version that somebody asked for. */
  #found(assignment: Assignment): void {
    const key = versionKey(assignment);
    const there = this.#ports.version(key);
    if (there && !there.engine && !there.onDemand) {
      this.#waiting.fail(key, this.#ports.table().whyNot(assignment.model, String(assignment.version)));
      return;
    }
    if (there?.engine) {
      this.#waiting.start(key);
      return;
    }
    if (assignment.serving.sequenceBatching) this.#waiting.failLost(key, (id) => lost(assignment, id));
    // Else all have gone again.
    if (!this.#waiting.has(key)) return;
    if (there) this.#demand(there);
    else this.#ports.add(assignment);
  }

  /** The version is ready: its requests begin. */
  start(key: string): void {
    this.#waiting.start(key);
  }

  /** The registry says that no runtime may have the version: nobody loads it, even if it was asked for just before. */
  refuse(key: string, error: SluiceError): void {
    this.#demanded.refuse(key, error);
    this.#waiting.fail(key, error);
  }

  /** The version does not come: all that wait for it are told why. */
  fail(key: string, error: SluiceError): void {
    this.#waiting.fail(key, error);
  }

  /** Nothing is loaded any more: all that wait, and all that come, are told so now. */
  end(): void {
    const message = 'the version is not loaded, and this runtime is about to end; try again';
    this.#over = unavailable(message, { retryAfterMs });
    this.#waiting.failAll(this.#over);
  }
}

const lost = ({ model, version }: Assignment, id: SequenceId): SluiceError =>
  sequenceLost(`${model} version ${version}`, id);
