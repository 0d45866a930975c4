// `npx nx bench evidence`: what the spool costs, on the disk of the temporary folder or of the one that is named. Figures for a person to
// read; no test depends on them. CPU is that of the whole process, the threads of its file system too.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { BlockWriter } from '../src/block-writer.ts';
import { emptyDraft } from '../src/draft.ts';
import { EncodedContext } from '../src/encoded-context.ts';
import { nodeFiles } from '../src/spool/node-files.ts';
import { openSpool } from '../src/spool/spool.ts';
import type { Spool } from '../src/spool/spool.ts';
import { keyOf } from './spool-rig.ts';
import { machineClock } from './real-spool.ts';

const base = process.argv[2] ?? tmpdir();

async function withSpool(work: (spool: Spool) => Promise<string>): Promise<void> {
  const folder = mkdtempSync(join(base, 'sluice-spool-bench-'));
  const ports = {
    files: nodeFiles,
    clock: machineClock,
    randomBytes,
    onEvent: (event: unknown) => process.stderr.write(`${JSON.stringify(event)}\n`),
  };
  const spool = await openSpool({ folder, key: keyOf('bench') }, ports);
  process.stdout.write(`${await work(spool)}\n`);
  await spool.close();
  rmSync(folder, { recursive: true });
}

const synced = (spool: Spool): Promise<void> =>
  new Promise((resolve, reject) => {
    spool.synced(spool.status.position, (error) => (error ? reject(error) : resolve()));
  });

/** Microseconds of CPU since a moment: of the process, and of this thread. */
class Meter {
  readonly #process = process.cpuUsage();
  readonly #thread = process.threadCpuUsage();

  read(): { readonly all: number; readonly thread: number } {
    const all = process.cpuUsage(this.#process);
    const thread = process.threadCpuUsage(this.#thread);
    return { all: all.user + all.system, thread: thread.user + thread.system };
  }
}

/** Appends as soon as there is room; a disk that makes none as fast as that is waited for. */
async function append(spool: Spool, block: Uint8Array, count: number): Promise<void> {
  while (spool.append(block, count) === undefined) {
    await synced(spool);
    spool.acknowledge(spool.status.synced);
    await setTimeout(5);
  }
}

async function appending(length: number, count: number): Promise<void> {
  await withSpool(async (spool) => {
    const block = randomBytes(length);
    const meter = new Meter();
    for (let done = 0; done < count; done++) await append(spool, block, 1);
    await synced(spool);
    const { all, thread } = meter.read();
    const [each, own, rate] = [all / count, thread / count, (count * length) / 2 ** 20 / (all / 1e6)];
    return `append ${length} bytes: ${each.toFixed(1)} µs of CPU with its write and sync, ${own.toFixed(1)} of them on the thread; ${rate.toFixed(0)} MiB for a second of CPU`;
  });
}

/** Records of some 300 bytes, in blocks of 64 KiB: the whole way from a draft to the disk. */
async function records(count: number): Promise<void> {
  await withSpool(async (spool) => {
    const context = new EncodedContext({
      ...{ model: 'digits', version: 2, versionDigest: 'ab'.repeat(32), releaseId: 'digits@7', seedId: 'digits/1' },
      ...{ policyVersion: 0, arm: 'primary', servedArm: 'primary', role: 'primary', propensity: 1 },
      retentionClass: 'standard',
    });
    const draft = { ...emptyDraft(context), requestState: 'captured' as const, request: randomBytes(155) };
    const writer = new BlockWriter(65_536);
    const fill = (): void => {
      writer.clear();
      while (writer.append(draft));
    };
    fill();
    const [perBlock, length] = [writer.records, writer.length];
    const blocks = Math.ceil(count / perBlock);
    const writing = new Meter();
    for (let each = 0; each < blocks; each++) fill();
    const encoding = writing.read().all / (blocks * perBlock);
    const meter = new Meter();
    for (let each = 0; each < blocks; each++) await append(spool, writer.block, writer.records);
    await synced(spool);
    const all = meter.read().all / (blocks * perBlock);
    return `record of ${(length / perBlock).toFixed(0)} bytes in blocks of ${length}: ${encoding.toFixed(2)} µs of CPU for writing it into the block, ${all.toFixed(2)} for the spool`;
  });
}

/** `waiting` durable blocks at any time: how many are answered in a second, and how many share a sync. */
async function durable(length: number, waiting: number, count: number): Promise<void> {
  await withSpool(async (spool) => {
    const block = randomBytes(length);
    let [started, answered, refused] = [0, 0, 0];
    const meter = new Meter();
    const from = performance.now();
    await new Promise<void>((resolve) => {
      const one = (): void => {
        if (started++ >= count) return;
        const reservation = spool.reserve(length);
        if (!reservation) refused++;
        const position = reservation?.append(block, 1) ?? spool.append(block, 1)!;
        spool.synced(position, () => {
          if (++answered === count) resolve();
          else setImmediate(one);
        });
      };
      for (let each = 0; each < waiting; each++) one();
    });
    const seconds = (performance.now() - from) / 1000;
    return `durable ${length} bytes, ${waiting} waiting: ${(count / seconds).toFixed(0)}/s, ${((seconds * 1000 * waiting) / count).toFixed(2)} ms each, ${(meter.read().all / count).toFixed(1)} µs of CPU; ${refused} refused`;
  });
}

/** What a write of so many bytes and a sync take on this disk, for comparison. */
async function bareSync(length: number, count: number): Promise<void> {
  const folder = mkdtempSync(join(base, 'sluice-spool-bench-'));
  const file = await nodeFiles.create(join(folder, 'file'));
  await file.write(Buffer.alloc(length * count), 0);
  await file.sync();
  const block = randomBytes(length);
  const from = performance.now();
  for (let each = 0; each < count; each++) {
    await file.write(block, each * length);
    await file.sync();
  }
  process.stdout.write(
    `write and sync of ${length} bytes alone: ${((performance.now() - from) / count).toFixed(2)} ms\n`,
  );
  await file.close();
  rmSync(folder, { recursive: true });
}

for (const [length, count] of [
  [65_536, 3000],
  [262_144, 800],
  [300, 100_000],
] as const)
  await appending(length, count);
await records(1_000_000);
await bareSync(64 * 344, 300);
for (const waiting of [1, 64]) await durable(300, waiting, waiting * 300);
