import { SluiceError } from '@sluice/domain/errors';
import type { Signature } from '@sluice/domain/signature';
import type { PayloadAudit } from '../audit/payload-audit.ts';
import type { PayloadCipher, SealedPayload } from '../payloads/payload-cipher.ts';
import type { RegistryFacts } from '../versions/registry-facts.ts';
import type { DecodedTensor } from './decode-payload.ts';
import { decodeRequest, decodeResponse } from './decode-payload.ts';
import type { AttemptKey, PredictionReader, StoredAttempt, StoredFeedback } from './prediction.ts';

export interface PayloadPorts {
  readonly reader: Pick<PredictionReader, 'payloads' | 'texts'>;
  readonly cipher: PayloadCipher;
  readonly audit: PayloadAudit;
  readonly facts: Pick<RegistryFacts, 'version'>;
}

/** A payload that was looked at. */
export interface ReadPayload {
  readonly tensors: readonly DecodedTensor[];
  /** Its key is destroyed: there is nothing left of it, whatever its state was. */
  readonly erased: boolean;
  /** Why there are no tensors, or no names in them; empty where nothing is wrong. */
  readonly problem: string;
}

/** What is read of the payloads of one attempt; undefined where there is none. */
export interface ReadPayloads {
  readonly request: ReadPayload | undefined;
  readonly response: ReadPayload | undefined;
}

/** Stored octets of payloads that one answer is made of; what is beyond them is left out and said so. */
const mostBytes = 16 * 1024 * 1024;

type Part = 'request' | 'response';
const parts = ['request', 'response'] as const;

/** What is read of the payloads of a prediction. */
export interface OpenedPrediction {
  /** Of each attempt, in their order. */
  readonly attempts: readonly ReadPayloads[];
  /** Texts of feedback by the id of the item; one whose key is destroyed is not there. */
  readonly texts: ReadonlyMap<string, string>;
}

/**
 * Opens and decodes the payloads of a prediction and of its feedback, after the access is in the audit log.
 *
 * @throws SluiceError whatever the audit throws: without an entry nothing is given
 */
export async function readPayloads(
  ports: PayloadPorts,
  { predictionId, attempts, feedback }: ToOpen,
  { actor, mostValues }: { readonly actor: string; readonly mostValues: number },
): Promise<OpenedPrediction> {
  const within = withinBudget(attempts);
  const texts = feedback.filter(({ textState }) => textState === 'kept');
  const count = texts.length + within.flatMap((each) => parts.filter((part) => sizeOf(each, part) > 0)).length;
  const details = { call: 'GetPrediction', count };
  await ports.audit.record({ actor, action: 'ReadPayloads', object: `prediction/${predictionId}`, details });
  return {
    attempts: await openAttempts(ports, attempts, within, mostValues),
    texts: texts.length === 0 ? new Map() : await openTexts(ports, predictionId, texts),
  };
}

interface ToOpen {
  readonly predictionId: string;
  readonly attempts: readonly StoredAttempt[];
  readonly feedback: readonly StoredFeedback[];
}

async function openAttempts(
  { reader, cipher, facts }: PayloadPorts,
  attempts: readonly StoredAttempt[],
  within: readonly StoredAttempt[],
  mostValues: number,
): Promise<ReadPayloads[]> {
  const stored = await reader.payloads(within);
  const byKey = new Map(stored.map((each) => [keyOf(each), each]));
  const opened = await openAll(cipher, within, byKey);
  return Promise.all(
    attempts.map(async (attempt): Promise<ReadPayloads> => {
      const named = await signatureOf(facts, attempt);
      const read = (part: Part): ReadPayload | undefined => {
        if (sizeOf(attempt, part) === 0) return undefined;
        if (!within.includes(attempt)) return nothing(`left out: an answer has ${mostBytes} bytes of payloads at most`);
        const bytes = opened.get(`${keyOf(attempt)} ${part}`);
        return bytes ? decode(part, bytes, named, mostValues) : { ...nothing(''), erased: true };
      };
      return { request: read('request'), response: read('response') };
    }),
  );
}

async function openTexts(
  { reader, cipher }: PayloadPorts,
  predictionId: string,
  feedback: readonly StoredFeedback[],
): Promise<Map<string, string>> {
  const stored = await reader.texts(predictionId);
  const found = feedback.filter(({ feedbackId }) => stored.has(feedbackId));
  const opened = await cipher.openAll(
    found.map(({ feedbackId, payloadKeyId: keyId }) => ({
      ...{ keyId, bytes: stored.get(feedbackId)!, context: `feedback/${feedbackId}` },
    })),
  );
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
  return new Map(found.flatMap(({ feedbackId }, at) => (opened[at] ? [[feedbackId, text(opened[at])]] : [])));
}

const nothing = (problem: string): ReadPayload => ({ tensors: [], erased: false, problem });

const keyOf = ({ retentionClass, arm, attempt }: AttemptKey): string => `${retentionClass} ${attempt} ${arm}`;

const sizeOf = (attempt: StoredAttempt, part: Part): number =>
  part === 'request' ? attempt.requestBytes : attempt.responseBytes;

/** Attempts in their order for as long as their payloads fit; one that does not fit is stepped over. */
function withinBudget(attempts: readonly StoredAttempt[]): readonly StoredAttempt[] {
  let room = mostBytes;
  return attempts.filter(({ requestBytes, responseBytes }) => {
    if (requestBytes + responseBytes > room) return false;
    room -= requestBytes + responseBytes;
    return true;
  });
}

/** Opened payloads by key and part; one whose key is destroyed is not there. */
async function openAll(
  cipher: PayloadCipher,
  attempts: readonly StoredAttempt[],
  byKey: ReadonlyMap<string, { readonly request: Uint8Array | undefined; readonly response: Uint8Array | undefined }>,
): Promise<Map<string, Uint8Array>> {
  const [names, sealed]: [string[], SealedPayload[]] = [[], []];
  for (const attempt of attempts)
    for (const part of parts) {
      const bytes = byKey.get(keyOf(attempt))?.[part];
      if (bytes === undefined) continue;
      names.push(`${keyOf(attempt)} ${part}`);
      sealed.push({ keyId: attempt.payloadKeyId, bytes, context: contextOf(attempt, part) });
    }
  const opened = await cipher.openAll(sealed);
  return new Map(names.flatMap((name, index) => (opened[index] ? [[name, opened[index]]] : [])));
}

const contextOf = ({ predictionId, arm, attempt }: StoredAttempt, part: Part): string =>
  `evidence/${predictionId}/${arm}/${attempt}/${part}`;

interface NamedSignature {
  readonly signature: Signature | undefined;
  readonly problem: string;
}

async function signatureOf(facts: PayloadPorts['facts'], attempt: StoredAttempt): Promise<NamedSignature> {
  const answer = await facts.version(attempt);
  if (answer.state === 'known') return { signature: answer.value.signature, problem: '' };
  const version = `${attempt.model} version ${attempt.version}`;
  const why =
    answer.state === 'unknown' ? `the registry has no ${version} of this digest` : 'the registry could not be asked';
  return { signature: undefined, problem: `names of columns and classes are missing: ${why}` };
}

function decode(
  part: Part,
  bytes: Uint8Array,
  { signature, problem }: NamedSignature,
  mostValues: number,
): ReadPayload {
  try {
    const tensors = (part === 'request' ? decodeRequest : decodeResponse)(bytes, signature, mostValues);
    return { tensors, erased: false, problem };
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return nothing(`it cannot be decoded: ${error.message}`);
  }
}
