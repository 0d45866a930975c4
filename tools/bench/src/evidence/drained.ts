import { setCapture, type Capture } from '../capture.ts';
import { metricSum } from '../metrics-text.ts';
import { pause } from '../platform.ts';
import { scrape } from '../scrape.ts';

/** Where a platform says what it has and takes what it is told. */
export interface DrainPorts {
  readonly registryAddress: string;
  /** Of the router. */
  readonly metricsPort: number;
}

/** Longest wait for what was sent to be stored; feedback has the cores for itself then. */
const drainMs = 120_000;

/**
 * Sets a policy, and waits until the router has it and feedback has all that was kept before.
 *
 * @throws Error when that takes longer than `limitMs`
 */
export async function applyCapture(
  model: string,
  capture: Capture,
  ports: DrainPorts,
  limitMs = drainMs,
): Promise<void> {
  const revision = await setCapture(ports.registryAddress, model, capture);
  await drained(ports, revision, limitMs);
}

/** Waits until the router has a revision of the registry, and its spool nothing that feedback has not stored. @throws as above */
export async function drained({ metricsPort }: DrainPorts, revision = 0, limitMs = drainMs): Promise<void> {
  const end = performance.now() + limitMs;
  while (performance.now() < end) {
    const samples = await scrape(metricsPort);
    const isApplied = metricSum(samples, 'sluice_router_table_revision', {}) >= revision;
    if (isApplied && metricSum(samples, 'sluice_router_evidence_waiting_blocks', {}) === 0) return;
    await pause(200);
  }
  throw new Error(`the router still has evidence after ${limitMs / 1000} s that feedback has not stored`);
}
