import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Clock, Random } from '@sluice/domain/clock';
import { failedPrecondition } from '@sluice/domain/errors';
import type { CapturePolicy } from '@sluice/domain/release';
import type { SpoolEvent, SpoolStatus } from '@sluice/evidence/spool/contract';
import { nodeFiles } from '@sluice/evidence/spool/node-files';
import type { KeyEncryptionKey } from '@sluice/evidence/spool/segment-key';
import { openSpool } from '@sluice/evidence/spool/spool';
import { Sampler } from '@sluice/resilience/sampler';
import type { TlsSource } from '@sluice/rpc/tls/source';
import type { Logger } from '@sluice/service-kit/logger';
import { logOutage } from '@sluice/service-kit/outage';
import type { Metrics } from '@sluice/telemetry/metrics';
import { registryBackoffMs } from '../backoff.ts';
import { feedbackPort } from '../rpc/feedback-port.ts';
import { Captures, mostPayloadBytes } from './capture.ts';
import { ErasureDrain } from './erasure-drain.ts';
import { readEvidenceKey } from './evidence-key.ts';
import { evidenceMetrics } from './evidence-metrics.ts';
import { Recorder } from './recorder.ts';
import { Sender } from './sender.ts';

export interface EvidenceConfig {
  readonly instanceId: string;
  readonly stateDir: string;
  /** Addresses of feedback; none: no evidence is kept. */
  readonly feedback: readonly string[];
  readonly evidenceKeyFile: string;
  /** Of keys by which segments that are still in the spool may be wrapped. */
  readonly formerEvidenceKeyFiles: readonly string[];
  readonly spoolBytes: number;
}

export interface EvidenceParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tls: TlsSource | undefined;
  /** The policy of a model: its release's, or its own without one; undefined for a model that is not there. */
  readonly policyOf: (model: string) => CapturePolicy | undefined;
}

/** What the rest of the router sees of evidence. */
export interface Evidence {
  readonly recorder: Recorder;
  state(): {
    readonly sending: boolean;
    readonly spool: SpoolStatus;
    /** Numbers of the newest order to erase, and of the last one from before which nothing is in the spool any more. */
    readonly erasures: { readonly told: number; readonly followed: number };
  };
  start(): void;
  /** Puts what was recorded on disk, and gives the spool back. */
  stop(): Promise<void>;
}

/** Milliseconds after which a feedback that does not answer counts as hung, if there is another. */
const silentMs = 5_000;

/** What can be reserved at once from the first moment on is nearly this; more is made ahead as durable requests need it. */
const segmentBytes = 32 * 1024 * 1024;
/** Two payloads of the largest size, beside blocks. */
const bufferBytes = 2 * mostPayloadBytes + 8 * 1024 * 1024;

/** Joins recorder, spool and sender; undefined where no evidence is kept. */
export async function openEvidence(config: EvidenceConfig, parts: EvidenceParts): Promise<Evidence | undefined> {
  const { clock, random, logger, metrics, tls, policyOf } = parts;
  if (config.feedback.length === 0) {
    logger.info('no evidence is kept: SLUICE_FEEDBACK names no feedback');
    return undefined;
  }
  if (config.evidenceKeyFile === '')
    throw failedPrecondition(
      'SLUICE_EVIDENCE_KEY_FILE is not set, and SLUICE_FEEDBACK is: make a key with `openssl rand -hex 32` under umask 077 and name its file',
    );
  const key = await readEvidenceKey(config.evidenceKeyFile);
  const formerKeys: KeyEncryptionKey[] = [];
  for (const file of config.formerEvidenceKeyFiles) {
    const { spool: former } = await readEvidenceKey(file);
    // Nobody need take care that a key is named once.
    if (![key.spool, ...formerKeys].some(({ id }) => id === former.id)) formerKeys.push(former);
  }
  const folder = join(config.stateDir, 'spool');
  const spool = await openSpool(
    { folder, key: key.spool, formerKeys, maxBytes: config.spoolBytes, segmentBytes, bufferBytes },
    { files: nodeFiles, clock, randomBytes, onEvent: (event) => logEvent(logger, event) },
  );
  const observed = evidenceMetrics(metrics, () => spool.status);
  const captures = new Captures(policyOf);
  const recorder = new Recorder({
    ...{ store: spool, captures, clock, hashUnit: key.hashUnit, onRecord: observed.recorded },
    onNoRoom: tellNoRoom(logger, clock),
    defer: (fn) => void setImmediate(fn),
  });
  const feedback = feedbackPort(config.feedback, {
    ...{ clock, routerId: config.instanceId, spoolId: spool.spoolId, silentMs, tls },
  });
  const backoffMs = (failures: number): number => registryBackoffMs(failures, random);
  const erasures = new ErasureDrain({ spool, flush: () => recorder.flush(), logger });
  const sender = new Sender({
    ...{ source: spool, feedback, erasures, clock, logger, backoffMs, onConnection: observed.connected },
  });
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  return {
    recorder,
    state: () => ({
      ...{ sending: sender.connected, spool: spool.status },
      erasures: { told: erasures.wanted, followed: erasures.applied },
    }),
    start() {
      running = sender.run(stopping.signal);
    },
    async stop() {
      recorder.flush();
      stopping.abort();
      await running;
      feedback.close();
      await spool.close();
    },
  };
}

/** A record that was to be stored and was not is never passed over; one line a while for each model says so. */
function tellNoRoom(logger: Logger, clock: Clock): (model: string, predictionId: string) => void {
  const sampler = new Sampler({ clock });
  return (model, predictionId) => {
    const unlogged = sampler.take(model);
    if (unlogged === undefined) return;
    const text =
      'a durable answer was refused: its evidence is larger than the room that was kept for it, and there is no more';
    logger.warn({ prediction_id: predictionId, model, unlogged }, text);
  };
}

/** What a person has to do something about is a warning. */
function logEvent(logger: Logger, event: SpoolEvent): void {
  const { kind, ...facts } = event;
  const text = `spool of evidence: ${eventTexts[kind]}`;
  if (kind === 'disk-recovered' || kind === 'torn') logger.info(facts, text);
  else if ('cause' in event) logOutage(logger, event.cause, text, { ...facts, cause: undefined });
  else logger.warn(facts, text);
}

const eventTexts: Readonly<Record<SpoolEvent['kind'], string>> = {
  torn: 'the end of a segment was not whole, as after a crash: it was cut off',
  'set-aside':
    'a segment is damaged: it was set aside, and what could be read of it is sent; if the disk did not give it, look at the disk and start the router again: it tries once more',
  'read-failed':
    'the disk does not give a segment: sending waits for it, and it is set aside if that stays so; look at the disk',
  damaged: 'a block cannot be read: it is skipped',
  'disk-failed': 'the disk takes no more: best-effort evidence is dropped, durable answers are refused',
  'disk-recovered': 'the disk takes it again',
  'write-failed': 'a segment could not be written: what it had goes into another',
  'upkeep-failed': 'a file could not be deleted or moved: tried again',
};
