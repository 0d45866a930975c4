import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Loaded into a program by `--import`: when it ends, its peak of resident memory is in the file that the URL names (Linux).
 * What `process.resourceUsage` says may be the peak of the process that started it.
 */
const file = new URL(import.meta.url).searchParams.get('file')!;
process.on('exit', () => {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))!;
  writeFileSync(file, String(Number(kib) * 1024));
});
