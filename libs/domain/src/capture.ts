import { invalidArgument } from './errors.ts';
import { clip } from './names.ts';

export const durabilities = ['best-effort', 'durable'] as const;
export type Durability = (typeof durabilities)[number];

/** How long evidence is kept; feedback has a number of days for each. */
export const retentionClasses = ['short', 'standard', 'long'] as const;
export type RetentionClass = (typeof retentionClasses)[number];

/** Which evidence of a prediction is kept. */
export interface CapturePolicy {
  /** Share of predictions, 0 to 1. */
  readonly rate: number;
  /** Whether requests are kept. */
  readonly request: boolean;
  /** Whether responses are kept; `small`: those of at most `smallResponseBytes`, of versions that declare a task. */
  readonly response: boolean | 'small';
  /** A larger payload is left out of its record. */
  readonly maxPayloadBytes: number;
  /** Whether an answer waits until its record is on disk. */
  readonly durability: Durability;
  readonly retentionClass: RetentionClass;
  /** What is zeroed in the copy of a request that is kept: names of features, or of inputs as a whole. */
  readonly redact: readonly string[];
}

/** Without responses nothing can be said of a version's quality; so those that cost little are kept where nobody said. */
export const smallResponseBytes = 1024;

export const defaultCapture: CapturePolicy = {
  rate: 1,
  request: false,
  response: 'small',
  maxPayloadBytes: 65_536,
  durability: 'best-effort',
  retentionClass: 'standard',
  redact: [],
};

/** Most bytes of a payload that may be kept: what a message has at most, by default. */
export const mostPayloadBytes = 64 * 1024 * 1024;
const mostRedacted = 256;
/** As long as a name of a tensor or feature may be. */
const longestName = 1_000;

/** What somebody changes of a capture policy; what is undefined stays as it is. */
export type CaptureChanges = { readonly [Field in keyof CapturePolicy]?: CapturePolicy[Field] | undefined };

/** The policy with its changes; the same object where they change nothing. */
export function changeCapture(policy: CapturePolicy, changes: CaptureChanges | undefined): CapturePolicy {
  const given = Object.entries(changes ?? {}).filter(([, value]) => value !== undefined);
  const changed: CapturePolicy = { ...policy, ...(Object.fromEntries(given) as Partial<CapturePolicy>) };
  return sameCapture(policy, changed) ? policy : changed;
}

/** True when two policies keep the same evidence. */
export const sameCapture = (left: CapturePolicy, right: CapturePolicy): boolean =>
  captureText(left) === captureText(right);

/** Equal texts are equal policies. */
export function captureText(policy: CapturePolicy): string {
  const { rate, request, response, maxPayloadBytes, durability, retentionClass, redact } = policy;
  return JSON.stringify([rate, request, response, maxPayloadBytes, durability, retentionClass, redact]);
}

/**
 * Throws `invalid-argument` naming what is wrong of a policy. Whether there is what it redacts, a model's versions say.
 *
 * @param field what the message calls the policy
 */
export function checkCapture(policy: CapturePolicy, field = 'capture'): CapturePolicy {
  const { rate, maxPayloadBytes, redact } = policy;
  if (!(rate >= 0 && rate <= 1)) throw invalidArgument(`${field}.rate: ${rate} given; expected a share from 0 to 1`);
  if (!Number.isSafeInteger(maxPayloadBytes) || maxPayloadBytes < 1 || maxPayloadBytes > mostPayloadBytes) {
    throw invalidArgument(
      `${field}.max_payload_bytes: ${maxPayloadBytes} given; expected 1 to ${mostPayloadBytes}; ` +
        'to keep no payloads turn request and response off',
    );
  }
  if (redact.length > mostRedacted) {
    throw invalidArgument(`${field}.redact: ${redact.length} names given; expected at most ${mostRedacted}`);
  }
  for (const [index, name] of redact.entries()) {
    if (name === '' || name.length > longestName) {
      throw invalidArgument(`${field}.redact: name ${index + 1} is empty or longer than ${longestName} characters`);
    }
    if (redact.indexOf(name) < index) throw invalidArgument(`${field}.redact: "${clip(name)}" is given twice`);
  }
  return policy;
}
