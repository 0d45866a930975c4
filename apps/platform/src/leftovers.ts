import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '@sluice/domain/clock';
import { failedPrecondition } from '@sluice/domain/errors';
import { readFileIfAny, writeFileAtomic } from '@sluice/service-kit/atomic-file';
import { z } from 'zod';

const schema = z.object({
  supervisor: z.object({ pid: z.number(), mark: z.string() }),
  children: z.array(z.object({ name: z.string(), pid: z.number(), mark: z.string() })),
});

/** Which processes a platform has started; `mark` is a part of their command line, since numbers are used again. */
export type ProcessList = z.infer<typeof schema>;

const fileOf = (home: string): string => path.join(home, 'processes.json');

export async function saveProcesses(home: string, list: ProcessList): Promise<void> {
  await writeFileAtomic(fileOf(home), `${JSON.stringify(list, null, 2)}\n`);
}

/** The command line of a process that runs; undefined when there is none. */
function commandOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux')
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') || undefined;
    return execFileSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return undefined;
  }
}

const runs = ({ pid, mark }: { pid: number; mark: string }): boolean => commandOf(pid)?.includes(mark) ?? false;

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
