import path from 'node:path';
import type { Clock } from '@sluice/domain/clock';
import { failedPrecondition } from '@sluice/domain/errors';
import { describeProcess } from '@sluice/postgres-local/postmaster';
import { readFileIfAny, writeFileAtomic } from '@sluice/service-kit/atomic-file';
import { z } from 'zod';

// Lists of earlier versions do not say when a process was started.
const processSchema = z.object({ pid: z.number(), mark: z.string(), started: z.string().optional() });
const schema = z.object({
  supervisor: processSchema,
  children: z.array(processSchema.extend({ name: z.string() })),
});

/** A process that is known again: `mark` is a part of its command line, `started` says when; numbers are used again. */
export type KnownProcess = z.infer<typeof processSchema>;

/** Which processes a platform has started. */
export type ProcessList = z.infer<typeof schema>;

/** How a process that runs is known again later; undefined when it has ended already. */
export function identify(pid: number, mark: string): KnownProcess | undefined {
  const found = describeProcess(pid);
  return found && { pid, mark, started: found.started };
}

const fileOf = (home: string): string => path.join(home, 'processes.json');

export async function saveProcesses(home: string, list: ProcessList): Promise<void> {
  await writeFileAtomic(fileOf(home), `${JSON.stringify(list, null, 2)}\n`);
}

function runs({ pid, mark, started }: KnownProcess): boolean {
  const found = describeProcess(pid);
  return found !== undefined && (started ?? found.started) === found.started && found.command.includes(mark);
}

/**
 * Makes way for a new platform in `home`. Children of one that was killed end by themselves; they get `waitMs`, then
 * SIGKILL. Throws `failed-precondition` when the platform still runs.
 */
export async function clearLeftovers(home: string, clock: Clock, waitMs: number): Promise<void> {
  const bytes = await readFileIfAny(fileOf(home));
  if (bytes === undefined) return;
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return;
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) return;
  const { supervisor, children } = parsed.data;
  if (supervisor.pid !== process.pid && runs(supervisor))
    throw failedPrecondition(
      `Sluice runs from ${home} already (process ${supervisor.pid}): use it, or stop it first with \`kill ${supervisor.pid}\``,
    );
  const end = clock.monotonic() + waitMs;
  for (let left = children.filter(runs); left.length > 0; left = left.filter(runs)) {
    if (clock.monotonic() >= end) for (const { pid } of left) kill(pid);
    await wait(clock, 50);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

async function wait(clock: Clock, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  clock.schedule(ms, () => resolve(undefined));
  await promise;
}
