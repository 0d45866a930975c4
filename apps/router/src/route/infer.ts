import type { Random } from '@sluice/domain/clock';
import { scanInferRequest } from '@sluice/inference/scan';
import { sequenceOf } from '@sluice/inference/sequence';
import type { SequenceMark } from '@sluice/inference/sequence';
import type { RawCall } from '@sluice/rpc/handlers';
import { readCallMetadata } from './call-metadata.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeOptions } from './exchange.ts';
import type { PredictionIds } from './prediction-id.ts';
import { resolveRoute } from './resolve.ts';
import type { Route } from './resolve.ts';
import { namedNumber, sequenceKey } from './sequences/sequences.ts';
import type { Sequences } from './sequences/sequences.ts';
import type { RouteTable } from './table.ts';

/** Trailer of every answer of an inference, failures too. */
export const predictionTrailer = 'sluice-prediction-id';

export interface InferOptions extends ExchangeOptions {
  readonly ids: PredictionIds;
  readonly random: Random;
  readonly table: () => RouteTable | undefined;
  readonly sequences: Sequences;
}

/**
 * The life of a request: scan its header, resolve the route by the table that is in force now, forward its bytes,
 * append to the answer's. A request of a sequence that has begun goes where its sequence is instead; a start that is refused
 * on its way leaves no sequence.
 */
export function inferHandler(options: InferOptions): (request: Buffer, call: RawCall) => void {
  const { ids, random, clock, table, sequences, inFlight } = options;
  return (message, call) => {
    const receivedMs = clock.monotonic();
    const predictionId = ids.next();
    call.setTrailer(predictionTrailer, predictionId);
    const { modelName, modelVersion, id: requestId, parameters } = scanInferRequest(message);
    const marked = sequenceOf(parameters);
    if (marked && sequences.has(table()?.models.get(modelName), modelName, marked.id)) {
      call.inOrder?.(sequenceKey(modelName, marked.id));
      inferInSequence(options, call, marked, { message, predictionId, receivedMs, requestId, modelName, modelVersion });
      return;
    }
    const said = readCallMetadata(call);
    const route = resolveRoute(table(), modelName, modelVersion, said, call, random);
    inFlight.enter(message.length);
    const exchange = new Exchange(options, call, message, predictionId, receivedMs, requestId, said);
    exchange.begin(route, modelVersion);
    call.onCancel((reason) => exchange.cancel(reason));
  };
}

/** What is known of a request of a sequence from its message. */
interface SequenceFacts {
  readonly message: Buffer;
  readonly predictionId: string;
  readonly receivedMs: number;
  readonly requestId: string;
  readonly modelName: string;
  readonly modelVersion: string;
}

function inferInSequence(options: InferOptions, call: RawCall, mark: SequenceMark, facts: SequenceFacts): void {
  const { random, clock, table, sequences, inFlight } = options;
  const { message, receivedMs, modelName, modelVersion } = facts;
  const isStart = mark.start;
  let number: number;
  let route: Route | undefined;
  let said;
  try {
    said = readCallMetadata(call);
    number = namedNumber(modelVersion);
    if (isStart) route = resolveRoute(table(), modelName, modelVersion, said, call, random);
    if (route?.quarantine) {
      options.onAnswer(route.version, route.choice?.arm, route.quarantine, clock.monotonic() - receivedMs);
      throw route.quarantine;
    }
    inFlight.enter(message.length);
  } catch (error) {
    if (isStart) sequences.refused(modelName, mark.id);
    throw error;
  }
  const exchange = new Exchange(options, call, message, facts.predictionId, receivedMs, facts.requestId, said);
  const { deadlineMs, metadata } = exchange;
  if (route?.choice) exchange.isChosen(route.choice);
  if (!exchange.hasRoom(facts.modelName, route?.version)) {
    if (isStart) sequences.refused(facts.modelName, mark.id);
    return;
  }
  const sent = sequences.send(modelName, {
    ...{ mark, route, number, versionText: modelVersion, message, deadlineMs, metadata },
    sending: (link, place) => exchange.sendingInSequence(link, place, isStart),
    retrying: (error, outcome) => exchange.retrying(error, outcome),
    done: (error, answer, outcome, place) => exchange.endInSequence(error, answer, outcome, place, isStart),
  });
  call.onCancel((reason) => {
    sent.cancel(reason.kind);
    exchange.cancelInSequence(reason, sent.place, isStart);
  });
}
