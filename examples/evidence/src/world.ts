import { createFeedbackClient } from '@sluice/client/feedback-client';
import type { FeedbackClient } from '@sluice/client/feedback-client';
import { createOipClient } from '@sluice/client/oip-client';
import type { OipClient } from '@sluice/client/oip-client';
import { createRegistryClient } from '@sluice/client/registry-client';
import type { RegistryClient } from '@sluice/client/registry-client';
import type { Options } from './options.ts';

export const model = 'digits';
/** What changes are written into the audit log under, and labels are from. */
export const self = 'example-evidence';

/** The services, and what tells this run from others. */
export interface World {
  readonly router: OipClient;
  readonly registry: RegistryClient;
  readonly feedback: FeedbackClient;
  /** Before request ids and subjects of this run. */
  readonly run: string;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
}

export function openWorld({ router, registry, feedback }: Options, run: string, signal: AbortSignal): World {
  return {
    router: createOipClient(router, { timeoutMs: 10_000, retryForMs: 3_000 }),
    registry: createRegistryClient(registry, { actor: self, timeoutMs: 10_000, retryForMs: 1_000 }),
    feedback: createFeedbackClient(feedback, { actor: self, timeoutMs: 30_000 }),
    run,
    signal,
  };
}

export function closeWorld({ router, registry, feedback }: World): void {
  for (const client of [router, registry, feedback]) client.close();
}
