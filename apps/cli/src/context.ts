import type { FeedbackClient } from '@sluice/client/feedback-client';
import type { OipClient } from '@sluice/client/oip-client';
import type { RegistryClient } from '@sluice/client/registry-client';
import type { Clock } from '@sluice/domain/clock';
import type { TlsSource } from '@sluice/rpc/tls/source';
import { printable } from './format.ts';
import { type Json, toJson } from './json.ts';

/** Where a command's text goes. */
export interface Terminal {
  /** To standard output, with a line feed. Results, nothing else. */
  readonly out: (text: string) => void;
  /** To standard error, with a line feed. Progress, notes and failures. */
  readonly note: (text: string) => void;
  /** Where progress bars are drawn; undefined when no person looks. */
  readonly bars: NodeJS.WritableStream | undefined;
  /** All of standard input; undefined when it is a keyboard. */
  readonly input: (() => Promise<string>) | undefined;
}

/** Clients of the services, connected when first used. */
export interface Services {
  readonly registry: RegistryClient['registry'];
  readonly audit: RegistryClient['audit'];
  readonly dataSets: RegistryClient['dataSets'];
  readonly runs: RegistryClient['runs'];
  readonly lineage: RegistryClient['lineage'];
  readonly upload: RegistryClient['upload'];
  readonly predictions: FeedbackClient['predictions'];
  readonly labels: FeedbackClient['labels'];
  readonly exports: FeedbackClient['exports'];
  readonly privacy: FeedbackClient['privacy'];
  readonly inference: Pick<OipClient, 'infer' | 'modelMetadata'>;
  /** Sends an inference once: what to do about a failure is the caller's to decide. */
  readonly inferOnce: Pick<OipClient, 'infer'>;
}

/** What a command runs with. */
export interface CliContext {
  readonly terminal: Terminal;
  readonly services: Services;
  readonly clock: Clock;
  /** What calls are secured with; undefined: they are plain. */
  readonly tls: TlsSource | undefined;
  /** True for `--json`: standard output gets one JSON document and nothing else. */
  readonly json: boolean;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Shows a result: the message as JSON with `--json`, else the text for people. */
export function show(context: CliContext, message: unknown, text: () => string): void {
  if (context.json) showJson(context, toJson(message));
  else context.terminal.out(text());
}

export function showJson(context: CliContext, json: Json): void {
  context.terminal.out(JSON.stringify(json, undefined, 2));
}

/** A line of progress for people; nothing with `--json`. */
export function progress(context: CliContext, line: string): void {
  if (!context.json) context.terminal.note(printable(line));
}

/** Waits, or ends early when the command is interrupted. */
export function pause(context: CliContext, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      timer.cancel();
      context.signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = context.clock.schedule(ms, done);
    context.signal.addEventListener('abort', done, { once: true });
  });
}
