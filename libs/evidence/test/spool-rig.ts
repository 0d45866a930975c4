import { FakeClock } from '@sluice/testkit/fake-clock';
import type { SpoolEvent, SpoolPorts, StoredBlock } from '../src/spool/contract.ts';
import type { SpoolOptions } from '../src/spool/options.ts';
import type { KeyEncryptionKey } from '../src/spool/segment-key.ts';
import { openSpool } from '../src/spool/spool.ts';
import type { Spool } from '../src/spool/spool.ts';
import { SimulatedFiles, turn } from '../testing/simulated-files.ts';

export const folder = '/spool';
export const keyOf = (id: string, octet = 1): KeyEncryptionKey => ({ id, key: Buffer.alloc(32, octet) });

/** A spool on a simulated disk, with small segments; what it needs lives on when it is opened again. */
export class SpoolRig {
  readonly files = new SimulatedFiles();
  readonly clock = new FakeClock();
  readonly events: SpoolEvent[] = [];
  options: SpoolOptions;
  #random = 1;

  constructor(options: Partial<SpoolOptions> = {}) {
    const small = { segmentBytes: 1024, maxBytes: 16 * 1024, flushMs: 100, flushBytes: 4096, bufferBytes: 4096 };
    this.options = { folder, key: keyOf('one'), ...small, ...options };
  }

  get ports(): SpoolPorts {
    const { files, clock } = this;
    const onEvent = (event: SpoolEvent) => void this.events.push(event);
    return { files: files.process(), clock, randomBytes: (count) => this.#randomBytes(count), onEvent };
  }

  open(): Promise<Spool> {
    return openSpool(this.options, this.ports);
  }

  /** The kinds of what happened. */
  get told(): string[] {
    return this.events.map(({ kind }) => kind);
  }

  /** Paths inside the folder. */
  get paths(): string[] {
    return this.files.disk.paths.map((path) => path.slice(folder.length + 1));
  }

  get segments(): string[] {
    return this.paths.filter((path) => path.endsWith('.segment'));
  }

  /** Never the same twice, and the same in each run. */
  #randomBytes(count: number): Uint8Array {
    const bytes = Buffer.alloc(count);
    for (let at = 0; at < count; at++) bytes[at] = (this.#random = (this.#random * 48_271) % 0x7fff_ffff) & 255;
    return bytes;
  }
}

/** A block that is told from all others. */
export const blockOf = (number: number, length = 100): Buffer => {
  const block = Buffer.alloc(length, number & 255);
  block.write(String(number));
  return block;
};

/** Appends best-effort blocks, syncs them, and waits for that. */
export async function put(spool: Spool, ...blocks: readonly Uint8Array[]): Promise<number[]> {
  const positions = blocks.map((block) => spool.append(block, 1));
  if (positions.includes(undefined)) throw new Error('there was no room');
  spool.flush();
  await quiet(spool);
  return positions as number[];
}

/** Until the spool has nothing to do. */
export async function quiet(spool: Spool): Promise<void> {
  let before = -1;
  for (;;) {
    await turn();
    const { bytes, synced } = spool.status;
    await turn();
    if (bytes + synced === before) return;
    before = bytes + synced;
  }
}

/** All that is there to be read. */
export async function readAll(spool: Spool, after = 0): Promise<StoredBlock[]> {
  const cursor = spool.read(after);
  const blocks: StoredBlock[] = [];
  for (;;) {
    const block = await Promise.race([cursor.next(), idle()]);
    if (block === undefined) break;
    blocks.push(block);
  }
  await cursor.close();
  return blocks;
}

async function idle(): Promise<undefined> {
  for (let each = 0; each < 20; each++) await turn();
}

export const textOf = ({ block }: StoredBlock): string =>
  Buffer.from(block)
    .toString('latin1')
    .split(/[^0-9]/)[0]!;
