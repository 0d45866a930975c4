import { createHash } from 'node:crypto';
import path from 'node:path';
import { isDatatype } from '@sluice/domain/datatype';
import { SluiceError } from '@sluice/domain/errors';
import { controlKinds } from '@sluice/domain/sequence-batching';
import { imageFormats, servingDefaults } from '@sluice/domain/signature';
import { readFileIfAny, writeFileAtomic } from '@sluice/service-kit/atomic-file';
import { z } from 'zod';
import type { Assignment, Placement } from './assignment.ts';

/** Changes when the file's meaning does and when there is more in it: a file of another format is not read, but for: */
const format = 4;
/**
 * Of software that knew fewer settings and left out those that the registry sent. It does to start from; whoever resumed
 * after its revision would never hear of them.
 */
const formatsWithLess: readonly unknown[] = [2, 3];

const count = z.number().int().nonnegative();
const tensor = z.object({
  name: z.string(),
  datatype: z.string().refine(isDatatype),
  shape: z.array(z.number().int()),
  dimNames: z.array(z.string()),
  features: z.array(
    z.object({
      name: z.string(),
      nullable: z.boolean(),
      min: z.number().exactOptional(),
      max: z.number().exactOptional(),
    }),
  ),
  min: z.number().exactOptional(),
  max: z.number().exactOptional(),
  classNames: z.array(z.string()).exactOptional(),
  format: z.enum(imageFormats).exactOptional(),
});
const queuePolicy = {
  timeoutAction: z.enum(['reject', 'delay']),
  defaultTimeoutMicroseconds: count,
  allowTimeoutOverride: z.boolean(),
  maxQueueSize: count,
};
const warmupRequest = z.object({
  name: z.string(),
  batchSize: count,
  count,
  inputs: z.array(
    z.object({
      name: z.string(),
      source: z.enum(['zero', 'random', 'data']),
      shape: z.array(count),
      base64: z.string(),
    }),
  ),
});
const datatype = z.string().refine(isDatatype);
const sequenceBatching = z.object({
  maxSequenceIdleMicroseconds: count,
  maxQueueDelayMicroseconds: count,
  minimumSlotUtilization: z.number().min(0).max(1),
  controlInputs: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(controlKinds),
      datatype,
      dims: z.array(count),
      falseValue: z.number(),
      trueValue: z.number(),
    }),
  ),
  states: z.array(
    z.object({
      inputName: z.string(),
      outputName: z.string(),
      datatype,
      dims: z.array(count),
      initialBase64: z.string(),
    }),
  ),
});
/** What came later has its default in a file that earlier software wrote. */
const serving = z.object({
  maxBatchSize: count,
  preferredBatchSize: z.array(count),
  allowedBatchSizes: z.array(count).default([...servingDefaults.allowedBatchSizes]),
  maxQueueDelayMicroseconds: count,
  preserveOrdering: z.boolean().default(servingDefaults.preserveOrdering),
  priorityLevels: count.default(servingDefaults.priorityLevels),
  defaultPriorityLevel: count.default(servingDefaults.defaultPriorityLevel),
  ...queuePolicy,
  timeoutAction: queuePolicy.timeoutAction.default(servingDefaults.timeoutAction),
  allowTimeoutOverride: queuePolicy.allowTimeoutOverride.default(servingDefaults.allowTimeoutOverride),
  priorityQueuePolicies: z.array(z.object({ level: count, ...queuePolicy })).default([]),
  instanceCount: count,
  intraOpThreads: count,
  device: z.string(),
  instanceGroups: z.array(z.object({ count, device: z.string() })).default([]),
  cpuOperators: z.boolean().default(servingDefaults.cpuOperators),
  warmupCount: count,
  warmupRequests: z.array(warmupRequest).default([]),
  batchingOffReason: z.string(),
  sequenceBatching: sequenceBatching.exactOptional(),
});
const assignment: z.ZodType<Assignment> = z.object({
  model: z.string(),
  version: count,
  digest: z.string(),
  files: z.array(z.object({ path: z.string(), sha256: z.string(), size: count })),
  graphPath: z.string(),
  signature: z.object({ inputs: z.array(tensor), outputs: z.array(tensor), batched: z.boolean() }),
  serving,
  aliases: z.array(z.string()),
  champion: z.boolean(),
  pinnedOnly: z.boolean(),
  memoryBytes: count.default(0),
  notKnown: z.string().exactOptional(),
});
const placementForm = z.object({
  revision: count,
  /** What the registry placed by; one of before that was written down is another. */
  placedBy: z.string().default(''),
  assignments: z.array(assignment),
});

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * The last placement on disk, from which a runtime starts while the registry is away: one line with the SHA-256 of the
 * next, which is the placement as JSON.
 */
export class SnapshotFile {
  readonly #file: string;
  readonly #placedBy: string;

  /** @param placedBy what of this runtime decides what it is told to load; with another, the registry sends all again */
  constructor(stateDir: string, placedBy = '') {
    this.#file = path.join(stateDir, 'placement.json');
    this.#placedBy = placedBy;
  }

  /** @throws the file system's error; the old snapshot is then untouched */
  async write(placement: Placement): Promise<void> {
    const { assignments } = placement;
    // The next start may be that of software that knows what was left out.
    const revision = assignments.some(({ notKnown }) => notKnown !== undefined) ? 0 : placement.revision;
    const body = JSON.stringify({ revision, placedBy: this.#placedBy, assignments });
    await writeFileAtomic(this.#file, `${JSON.stringify({ format, sha256: digestOf(body) })}\n${body}`);
  }

  /**
   * @returns undefined when there is none; of revision 0, before all others, when the registry has to send all again
   * @throws SluiceError data-loss when it is not what this version wrote
   */
  async read(): Promise<Placement | undefined> {
    const bytes = await readFileIfAny(this.#file);
    if (!bytes) return undefined;
    const text = Buffer.from(bytes).toString('utf8');
    const end = text.indexOf('\n');
    const head = this.#json(text.slice(0, Math.max(0, end))) as { format?: unknown; sha256?: unknown } | null;
    if (!head || (head.format !== format && !formatsWithLess.includes(head.format)))
      throw this.#unusable('has another format');
    const body = text.slice(end + 1);
    if (head.sha256 !== digestOf(body)) throw this.#unusable('is damaged: its bytes do not have their SHA-256');
    const read = placementForm.safeParse(this.#json(body));
    if (read.success) {
      const { revision, placedBy, assignments } = read.data;
      const isWhole = head.format === format && placedBy === this.#placedBy;
      return { revision: isWhole ? revision : 0, assignments };
    }
    const [issue] = read.error.issues;
    throw this.#unusable(`is not a placement: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }

  #json(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw this.#unusable('is not what this software writes', error);
    }
  }

  #unusable(problem: string, cause?: unknown): SluiceError {
    return new SluiceError('data-loss', `${this.#file} ${problem}: delete it, the registry sends a new one`, { cause });
  }
}
