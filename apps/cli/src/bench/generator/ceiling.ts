import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Generator, type GeneratorOptions, type GeneratorWindow, type LoadPort } from './generator.ts';

/** What the generator can do at most, measured before the run. */
export interface Ceiling {
  /** Requests a second that one core of this machine makes of such requests and answers. */
  readonly requestsPerSecondPerCore: number;
  /** Processor time of the generator per request, in microseconds. */
  readonly cpuUsPerRequest: number;
}

/** How long it warms up and how long it measures, in milliseconds; and how much is in flight. */
const [warmUpMs, measureMs, mostInFlight] = [300, 600, 64];
const mostBytesInFlight = 64 * 1024 * 1024;

const echoFile = new URL(`./echo-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/**
 * Measures the generator alone: the run's own requests against a server in a thread beside it that answers at once with the bytes of a
 * real answer. The figure is requests over the generator's own processor time, so a slow echo does not lower it.
 * Without TLS, whatever the run has.
 *
 * @param answer bytes of a ModelInferResponse of the target
 */
export async function measureCeiling(
  options: GeneratorOptions,
  answer: Uint8Array,
  wait: (ms: number) => Promise<void>,
): Promise<Ceiling> {
  const echo = new Worker(echoFile, { workerData: answer, name: 'echo' });
  const [port] = (await once(echo, 'message')) as [number];
  const generator = new Generator({
    ...options,
    addresses: [`127.0.0.1:${port}`],
    sequences: undefined,
    tls: undefined,
    threads: 1,
  });
  try {
    const bytes = Math.max(...options.messages.map((message) => message.byteLength), answer.byteLength);
    return await calibrate(generator, Math.max(1, Math.min(mostInFlight, Math.floor(mostBytesInFlight / bytes))), wait);
  } finally {
    await Promise.all([generator.close(), echo.terminate()]);
  }
}

async function calibrate(port: LoadPort, inFlight: number, wait: (ms: number) => Promise<void>): Promise<Ceiling> {
  await port.start({ kind: 'closed', inFlight }, undefined);
  await wait(warmUpMs);
  await port.collect();
  await wait(measureMs);
  const window = await port.collect();
  await port.stop();
  return ceilingOf(window);
}

/** The figure from a window. */
export function ceilingOf({ latencies, cpuMs }: GeneratorWindow): Ceiling {
  const cpuUsPerRequest = latencies.count === 0 ? 0 : (cpuMs * 1000) / latencies.count;
  return { cpuUsPerRequest, requestsPerSecondPerCore: cpuUsPerRequest === 0 ? 0 : 1e6 / cpuUsPerRequest };
}
