import type { Clock, Random } from '@sluice/domain/clock';
import type { SluiceError } from '@sluice/domain/errors';
import type { Parameters } from '@sluice/inference/parameters';
import { responseParameter } from '@sluice/inference/rewrite';
import { scanInferRequest } from '@sluice/inference/scan';
import type { RawCall } from '@sluice/rpc/handlers';
import { readCallMetadata } from './call-metadata.ts';
import type { Forwarder } from './forward.ts';
import type { InFlight } from './in-flight.ts';
import type { PredictionIds } from './prediction-id.ts';
import { resolveRoute } from './resolve.ts';
import type { RouteTable, VersionTarget } from './table.ts';

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
  readonly inFlight: InFlight;
  /** Told of inferences that ended in a defect of a runtime or ours, for the log. */
  readonly onDefect: (predictionId: string, version: VersionTarget, error: SluiceError) => void;
  /** Told how an inference of a known version ended, and after how many milliseconds. */
  readonly onAnswer: (version: VersionTarget, error: SluiceError | undefined, tookMs: number) => void;
}

/**
 * The life of a request: scan its header, resolve the route by the table that is in force now, forward its bytes,
 * append to the answer's.
 */
export function inferHandler(options: InferOptions): (request: Buffer, call: RawCall) => void {
  const { ids, random, clock, table, forwarder, inFlight, onDefect, onAnswer } = options;
  return (request, call) => {
    const startedMs = clock.monotonic();
    const predictionId = ids.next();
    call.setTrailer(predictionTrailer, predictionId);
    const header = scanInferRequest(request);
    const metadata = readCallMetadata((key) => call.metadata(key));
    const hints = { arm: metadata.arm, metadata: (key: string) => call.metadata(key) };
    const { version, arm } = resolveRoute(table(), header.modelName, header.modelVersion, hints, random);
    inFlight.enter(request.length);
    let open = true;
    const leave = (error: SluiceError | undefined): void => {
      if (!open) return;
      open = false;
      inFlight.leave(request.length);
      onAnswer(version, error, clock.monotonic() - startedMs);
    };
    const traceparent = call.metadata('traceparent');
    const forwarded = forwarder.send({
      version,
      message: request,
      // A request that names this very number needs no override.
      suffix: header.modelVersion === version.text ? undefined : version.override,
      idempotent: !inSequence(header.parameters),
      deadlineMs: call.deadlineMs,
      metadata: traceparent === undefined ? undefined : { traceparent },
      done: (error, answer) => {
        leave(error);
        if (error) {
          if (error.kind === 'internal' || error.kind === 'data-loss') onDefect(predictionId, version, error);
          call.fail(error, version.key);
        } else call.respond(...answer!, stamp(predictionId), arm?.parameter ?? noArm);
      },
    });
    call.onCancel((reason) => {
      forwarded.cancel(reason.kind);
      leave(reason);
    });
  };
}

function stamp(predictionId: string): Buffer {
  return responseParameter('prediction_id', { kind: 'string', value: predictionId });
}

/** A request belongs to a sequence when its `sequence_id` is neither 0 nor empty. */
export function inSequence(parameters: Parameters): boolean {
  const id = parameters.get('sequence_id');
  switch (id?.kind) {
    case 'int64':
    case 'uint64':
      return id.value !== 0n;
    case 'string':
      return id.value !== '';
    default:
      return false;
  }
}
