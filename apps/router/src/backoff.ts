import type { Random } from '@sluice/domain/clock';
import { jittered } from '@sluice/resilience/backoff';

/** Wait before a runtime is tried again: a supervisor has it back in about a second. */
export function runtimeBackoffMs(failures: number, random: Random): number {
  return jittered(failures, { baseMs: 50, maxMs: 1_000 }, random);
}

/** Wait before the registry is tried again. */
export function registryBackoffMs(failures: number, random: Random): number {
  return jittered(failures, { baseMs: 100, maxMs: 2_000 }, random);
}
