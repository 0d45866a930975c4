import { fork } from 'node:child_process';
import type { Clock } from '@sluice/domain/clock';
import { clip } from '@sluice/domain/names';
import { disableOnnxTelemetry } from '@sluice/service-kit/onnx-telemetry';
import type { DeviceProbe } from './devices.ts';

const isSource = import.meta.url.endsWith('.ts');
const program = new URL(isSource ? './probe-child.ts' : './probe-child.js', import.meta.url);
/** A first use of CUDA may take seconds; a driver that hangs takes for ever. */
const timeMs = 60_000;
const maxStderrBytes = 8_192;

/** A library that the loader did not find: what ONNX Runtime tells its log, and not its error. */
const missingLibrary = /([\w.+-]+\.(?:so|dylib|dll)[\w.]*): cannot open shared object file/;

/**
 * Tries devices in a process that ends with the try: a provider that crashes, hangs or keeps memory does it there.
 * @param entry the program; what a test has instead of the real one
 */
export function probeInChild(clock: Clock, entry = program): DeviceProbe {
  return async (device) => {
    disableOnnxTelemetry();
    const { promise, resolve } = Promise.withResolvers<string>();
    const child = fork(entry, [JSON.stringify(device)], {
      execPath: process.execPath,
      execArgv: isSource ? ['--conditions=@sluice/source'] : [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let stderr = '';
    let told: string | undefined;
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-maxStderrBytes)));
    child.on('message', (reason) => (told = typeof reason === 'string' ? reason : 'the try said nothing known'));
    child.once('error', (error) => resolve(`it could not be tried: ${error.message}`));
    child.once('close', (code, signal) => resolve(told ?? `the try ended with ${signal ?? `status ${code}`}`));
    const timer = clock.schedule(timeMs, () => {
      told ??= `it did not answer within ${timeMs / 1000} s`;
      child.kill('SIGKILL');
    });
    const reason = await promise.finally(() => timer.cancel());
    return reason === '' ? '' : withLibrary(clip(reason.replaceAll(/\s+/g, ' ').trim(), 400), stderr);
  };
}

function withLibrary(reason: string, stderr: string): string {
  const library = missingLibrary.exec(stderr)?.[1];
  return library === undefined || reason.includes(library) ? reason : `${reason} (${library} is not there)`;
}
