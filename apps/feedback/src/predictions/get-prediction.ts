import type { Clock } from '@sluice/domain/clock';
import { invalidArgument } from '@sluice/domain/errors';
import { checkModelName, clip } from '@sluice/domain/names';
import type { Retention } from '../evidence/days.ts';
import type { RegistryFacts } from '../versions/registry-facts.ts';
import type { LabelPolicy } from '../versions/registry-version.ts';
import { latestLabel } from '../versions/registry-version.ts';
import { predictionAbsent } from './absence.ts';
import type { AliasHistory, AuditLink } from './audit-links.ts';
import { aliasLinks, recordLinks } from './audit-links.ts';
import type { PredictionReader, StoredAttempt, StoredFeedback, StoredOutcome } from './prediction.ts';
import type { PayloadPorts, ReadPayloads } from './read-payloads.ts';
import { readPayloads } from './read-payloads.ts';
import { resolveLabels } from './resolve-labels.ts';

export interface GetPredictionPorts extends PayloadPorts {
  readonly facts: Pick<RegistryFacts, 'version' | 'model'>;
  readonly registry: AliasHistory;
  readonly reader: PredictionReader;
  readonly clock: Clock;
  readonly retention: Retention;
}

export interface GetPrediction {
  readonly predictionId: string;
  readonly withPayload: boolean;
  readonly withAliases: boolean;
  /** Values of one tensor; 0 means 1,000. */
  readonly maxValues: number;
  /** Undefined: what the model says. */
  readonly labelPolicy: LabelPolicy | undefined;
  /** Whose capture rate is told where there is no record; empty for none. */
  readonly model: string;
  /** Who asks. */
  readonly actor: string;
}

/** A prediction with all that was made of it. */
export interface FoundPrediction {
  readonly predictionId: string;
  readonly attempts: readonly (StoredAttempt & { readonly payloads: ReadPayloads | undefined })[];
  readonly labels: ReturnType<typeof resolveLabels>;
  readonly outcomes: readonly (StoredOutcome & { readonly resolves: boolean })[];
  readonly feedback: readonly (StoredFeedback & { readonly text: string | undefined })[];
  readonly links: readonly AuditLink[];
  readonly labelPolicy: LabelPolicy;
  readonly cut: boolean;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const fewValues = 1_000;
const mostValues = 100_000;

/**
 * All that is kept of one prediction.
 *
 * @throws PredictionAbsent when there is nothing of it
 */
export async function getPrediction(ports: GetPredictionPorts, request: GetPrediction): Promise<FoundPrediction> {
  const predictionId = request.predictionId.toLowerCase();
  if (!uuid.test(predictionId))
    throw invalidArgument(`prediction_id: "${clip(request.predictionId)}" given; expected a UUID`);
  if (request.maxValues > mostValues)
    throw invalidArgument(`max_values: ${request.maxValues} given; expected at most ${mostValues}`);
  if (request.model !== '') checkModelName(request.model);
  const { attempts, labels, outcomes, feedback, cut } = await ports.reader.find(predictionId);
  const [first] = attempts;
  if (!first) throw await absent(ports, predictionId, request.model);
  const labelPolicy = request.labelPolicy ?? (await policyOf(ports, first.model, labels.length));
  const resolved = resolveLabels(labels, labelPolicy);
  const counting = new Set(resolved.filter((label) => label.resolves).map((label) => label.labelId));
  const { actor, maxValues } = request;
  const opened = request.withPayload
    ? await readPayloads(ports, { predictionId, attempts, feedback }, { actor, mostValues: maxValues || fewValues })
    : undefined;
  return {
    ...{ predictionId, labelPolicy, cut, labels: resolved },
    attempts: attempts.map((attempt, index) => ({ ...attempt, payloads: opened?.attempts[index] })),
    feedback: feedback.map((item) => ({ ...item, ...textOf(item, opened?.texts) })),
    outcomes: outcomes.map((outcome) => ({ ...outcome, resolves: counting.has(outcome.labelId) })),
    links: [
      ...(await recordLinks(ports.facts, attempts)),
      ...(request.withAliases ? await aliasLinks(ports.registry, attempts) : []),
    ],
  };
}

/** A text, if it was asked for; one that cannot be opened any more is erased. */
function textOf({ feedbackId, textState }: StoredFeedback, texts: ReadonlyMap<string, string> | undefined) {
  const text = texts?.get(feedbackId);
  const isErased = textState === 'kept' && texts !== undefined && text === undefined;
  return { text, textState: isErased ? ('erased' as const) : textState };
}

async function absent({ facts, clock, retention }: GetPredictionPorts, predictionId: string, name: string) {
  const answer = name === '' ? undefined : await facts.model(name);
  const model = answer?.state === 'known' ? { name, captureRate: answer.value.captureRate } : undefined;
  return predictionAbsent({ predictionId, nowMs: clock.now(), retention, model });
}

/** Nobody is asked where there is nothing to resolve. */
async function policyOf({ facts }: GetPredictionPorts, model: string, labels: number): Promise<LabelPolicy> {
  if (labels === 0) return latestLabel;
  const answer = await facts.model(model);
  return answer.state === 'known' ? answer.value.labels : latestLabel;
}
