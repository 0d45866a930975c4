import path from 'node:path';
import { parseArgs } from 'node:util';

/** Where the platform is, and what is sent to it. */
export interface Options {
  readonly router: string;
  readonly registry: string;
  readonly feedback: string;
  /** CSV with a heading: 64 pixels and the digit. */
  readonly file: string;
}

export const usage = `Usage: npm run example:evidence -- [options]

  --port-offset NUMBER   the offset that the platform was started with (default: 0)
  --router HOST:PORT     default: 127.0.0.1:8001, and so on, moved by the offset
  --registry HOST:PORT
  --feedback HOST:PORT
  --file FILE            digits with their labels (default: examples/models/digits/holdout.csv)
`;

/** The command line is wrong: the message says where. */
export class UsageError extends Error {}

/** @returns undefined when help is asked for @throws UsageError naming the option */
export function readOptions(args: readonly string[]): Options | undefined {
  const text = { type: 'string' } as const;
  const options = {
    ...{ 'port-offset': text, router: text, registry: text, feedback: text, file: text },
    help: { type: 'boolean', short: 'h' },
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (values.help) return undefined;
  const offset = Number(values['port-offset'] ?? '0');
  if (!/^\d+$/.test(values['port-offset'] ?? '0') || offset > 57_000)
    throw new UsageError(`--port-offset ${values['port-offset']!}: expected a whole number from 0 to 57000`);
  const local = (port: number): string => `127.0.0.1:${port + offset}`;
  return {
    router: values.router ?? local(8001),
    registry: values.registry ?? local(8101),
    feedback: values.feedback ?? local(8111),
    file: values.file ?? path.join(import.meta.dirname, '../../models/digits/holdout.csv'),
  };
}
