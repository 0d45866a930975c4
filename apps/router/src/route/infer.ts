import type { Clock, Random } from '@sluice/domain/clock';
import type { SluiceError } from '@sluice/domain/errors';
import { responseParameter } from '@sluice/inference/rewrite';
import { scanInferRequest } from '@sluice/inference/scan';
import { sequenceOf } from '@sluice/inference/sequence';
import type { RawCall } from '@sluice/rpc/handlers';
import type { Pieces } from '@sluice/rpc/raw-client';
import { readCallMetadata } from './call-metadata.ts';
import type { Forwarder } from './forward.ts';
import type { InFlight } from './in-flight.ts';
import type { PredictionIds } from './prediction-id.ts';
import { resolveRoute } from './resolve.ts';
import type { Route } from './resolve.ts';
import { namedNumber, sequenceKey } from './sequences/sequences.ts';
import type { Sequences } from './sequences/sequences.ts';
import type { ArmRoute, RouteTable, VersionTarget } from './table.ts';

/** Trailer of every answer of an inference, failures too. */
export const predictionTrailer = 'sluice-prediction-id';

/** What follows an answer whose request named its version: it went through no arm. */
const noArm = responseParameter('sluice_arm', { kind: 'string', value: '' });

export interface InferOptions {
  readonly ids: PredictionIds;
  readonly random: Random;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly table: () => RouteTable | undefined;
  readonly forwarder: Forwarder;
  readonly sequences: Sequences;
  readonly inFlight: InFlight;
  /** Told of inferences that ended in a defect of a runtime or ours, for the log. */
  readonly onDefect: (predictionId: string, version: VersionTarget, error: SluiceError) => void;
  /** Told how an inference of a known version ended, and after how many milliseconds. */
  readonly onAnswer: (version: VersionTarget, error: SluiceError | undefined, tookMs: number) => void;
}

/**
 * The life of a request: scan its header, resolve the route by the table that is in force now, forward its bytes,
 * append to the answer's. A request of a sequence that has begun goes where its sequence is instead; a start that is refused
 * on its way leaves no sequence.
 */
export function inferHandler(options: InferOptions): (request: Buffer, call: RawCall) => void {
  const { ids, random, clock, table, forwarder, sequences, inFlight } = options;
  return (request, call) => {
    const startedMs = clock.monotonic();
    const predictionId = ids.next();
    call.setTrailer(predictionTrailer, predictionId);
    const { modelName, modelVersion, parameters } = scanInferRequest(request);
    const said = sequenceOf(parameters);
    const mark = said && sequences.has(table()?.models.get(modelName), modelName, said.id) ? said : undefined;
    if (mark) call.inOrder?.(sequenceKey(modelName, mark.id));
    let number = 0;
    let route: Route | undefined;
    try {
      const { arm } = readCallMetadata((key) => call.metadata(key));
      if (mark) number = namedNumber(modelVersion);
      const hints = { arm, metadata: (key: string) => call.metadata(key) };
      if (mark?.start !== false) route = resolveRoute(table(), modelName, modelVersion, hints, random);
      if (route?.quarantine) {
        options.onAnswer(route.version, route.quarantine, clock.monotonic() - startedMs);
        throw route.quarantine;
      }
      inFlight.enter(request.length);
    } catch (error) {
      if (mark?.start === true) sequences.refused(modelName, mark.id);
      throw error;
    }
    const exchange = new Exchange(options, call, request.length, predictionId, startedMs);
    const { deadlineMs } = call;
    const traceparent = call.metadata('traceparent');
    const metadata = traceparent === undefined ? undefined : { traceparent };
    if (mark) {
      const sent = sequences.send(modelName, {
        ...{ mark, route, number, versionText: modelVersion, message: request, deadlineMs, metadata },
        done: (error, answer, place) => exchange.end(error, answer, place?.version, place?.arm),
      });
      call.onCancel((reason) => {
        sent.cancel(reason.kind);
        exchange.leave(reason, sent.place?.version);
      });
      return;
    }
    const { version, arm } = route!;
    // A request that names this very number needs no override.
    const suffix = modelVersion === version.text ? undefined : version.override;
    const done = (error: SluiceError | undefined, answer: Pieces | undefined): void =>
      exchange.end(error, answer, version, arm);
    const sent = forwarder.send({ version, message: request, suffix, deadlineMs, metadata, done });
    call.onCancel((reason) => {
      sent.cancel(reason.kind);
      exchange.leave(reason, version);
    });
  };
}

/** A request that was let in, until it is answered or nobody waits for it. */
class Exchange {
  readonly #options: InferOptions;
  readonly #call: RawCall;
  readonly #bytes: number;
  readonly #predictionId: string;
  readonly #startedMs: number;
  #isOpen = true;

  constructor(options: InferOptions, call: RawCall, bytes: number, predictionId: string, startedMs: number) {
    this.#options = options;
    this.#call = call;
    this.#bytes = bytes;
    this.#predictionId = predictionId;
    this.#startedMs = startedMs;
  }

  /** Answers. @param version where it went; undefined when that was nowhere */
  end(
    error: SluiceError | undefined,
    answer: Pieces | undefined,
    version: VersionTarget | undefined,
    arm: ArmRoute | undefined,
  ): void {
    this.leave(error, version);
    if (!error) {
      this.#call.respond(...answer!, stamp(this.#predictionId), arm?.parameter ?? noArm);
      return;
    }
    const isDefect = error.kind === 'internal' || error.kind === 'data-loss';
    if (isDefect && version) this.#options.onDefect(this.#predictionId, version, error);
    this.#call.fail(error, version?.key);
  }

  /** Counts it out. */
  leave(error: SluiceError | undefined, version: VersionTarget | undefined): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#options.inFlight.leave(this.#bytes);
    if (version) this.#options.onAnswer(version, error, this.#options.clock.monotonic() - this.#startedMs);
  }
}

function stamp(predictionId: string): Buffer {
  return responseParameter('prediction_id', { kind: 'string', value: predictionId });
}
