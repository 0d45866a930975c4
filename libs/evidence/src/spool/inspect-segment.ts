import { join } from 'node:path';
import type { SpoolPorts } from './contract.ts';
import type { SpoolFile, SpoolFiles } from './files.ts';
import { keyName, setAsideFolder, setAsideName } from './names.ts';
import { maxSegmentBytes } from './options.ts';
import type { SpoolSettings } from './options.ts';
import { scanSegment } from './scan.ts';
import type { Scan } from './scan.ts';
import { Segment } from './segment.ts';
import { unwrap } from './segment-key.ts';
import type { SegmentKey } from './segment-key.ts';

/** The files of one segment, as a start finds them; paths from the folder of the spool on. */
export interface FoundFiles {
  readonly sequence: number;
  readonly path: string;
  readonly bytes: number;
  readonly keyPath: string | undefined;
  readonly keyBytes: number;
}

/** What is known of the segments behind one. */
export interface Behind {
  /** Position from which on blocks are theirs. */
  readonly first: number;
  /** Whether all blocks before `first` should be in the segments before. */
  readonly isFirstKnown: boolean;
}

export interface Inspected {
  /** Undefined when there is nothing to keep. */
  readonly segment: Segment | undefined;
  readonly behind: Behind;
  /** Highest position that was found in it. */
  readonly last: number;
  /** Whether it may have others. */
  readonly isUnsure: boolean;
}

interface Context {
  readonly ports: SpoolPorts;
  readonly settings: SpoolSettings;
  readonly behind: Behind;
}

/**
 * Looks at one segment, from the last one to the first, and repairs it: cuts off what is not whole at its end, sets it aside where
 * something else is wrong with it.
 */
export async function inspectSegment(found: FoundFiles, context: Context): Promise<Inspected> {
  const { ports, settings, behind } = context;
  const content = await readFound(settings.folder, found, ports.files);
  if ('problem' in content) return setAside(found, undefined, {}, content.problem, context);
  // Made ahead and never begun.
  if (isZero(content.bytes)) return { segment: undefined, behind, last: 0, isUnsure: false };
  const key = keyOf(content.key, found, settings);
  if (key !== undefined && 'problem' in key) {
    const scan = scanSegment(content.bytes, undefined, behind.first);
    return setAside(found, undefined, { scan }, key.problem, context);
  }
  const scan = scanSegment(content.bytes, key, behind.first);
  if (scan.first === undefined && behind.first === Infinity) {
    // Its first write was under way, and nobody was told that it had come to an end.
    ports.onEvent({ kind: 'torn', segment: found.path, bytes: scan.restBytes });
    return { segment: undefined, behind, last: 0, isUnsure: true };
  }
  // Its key goes when it is acknowledged; it was on its way out.
  if (key === undefined)
    return {
      segment: await kept(found, undefined, scan, content.bytes, context),
      behind: behindOf(scan, behind),
      last: scan.last,
      isUnsure: false,
    };
  const problem = problemOf(found, scan, behind);
  if (problem !== undefined) return setAside(found, key, { scan, content: content.bytes }, problem, context);
  return {
    segment: await kept(found, key, scan, content.bytes, context),
    behind: behindOf(scan, behind),
    last: scan.last,
    isUnsure: false,
  };
}

const isZero = (bytes: Buffer): boolean => bytes.every((octet) => octet === 0);

function keyOf(file: Buffer | undefined, { sequence }: FoundFiles, { keys }: SpoolSettings) {
  return file === undefined ? undefined : unwrap(file, sequence, keys);
}

function behindOf({ first, isFirstKnown }: Scan, behind: Behind): Behind {
  return first === undefined ? { ...behind, isFirstKnown: false } : { first, isFirstKnown };
}

function problemOf({ path }: FoundFiles, scan: Scan, behind: Behind): string | undefined {
  if (scan.first === undefined) return 'it has no frame that is whole';
  if (scan.isDamaged || !scan.isFirstKnown) return 'it is damaged';
  if (behind.isFirstKnown && scan.last + 1 < behind.first) return 'its end is missing';
  return path.startsWith(setAsideFolder) ? 'it was set aside before' : undefined;
}

/** A segment that is as it should be, but for what is behind its last frame. */
async function kept(
  found: FoundFiles,
  key: SegmentKey | undefined,
  scan: Scan,
  bytes: Buffer,
  context: Context,
): Promise<Segment> {
  const { ports, settings, behind } = context;
  const segment = segmentOf(found, key, scan);
  segment.isErased = key === undefined;
  const isLast = behind.first === Infinity;
  if (isLast && scan.restBytes > 0) ports.onEvent({ kind: 'torn', segment: found.path, bytes: scan.restBytes });
  const file = await ports.files.open(join(settings.folder, found.path));
  try {
    await file.truncate(scan.end);
    segment.fileBytes = scan.end;
    if (isLast) await writeAgain(file, bytes.subarray(0, scan.end));
    // Even where nothing was to be cut: the last process may have done so, and not synced it.
    else await file.sync();
  } finally {
    await file.close();
  }
  return segment;
}

/**
 * What the last process had written, and not synced, is delivered from here on; so it must stay. Where its sync had failed, another
 * one alone would do nothing.
 */
async function writeAgain(file: SpoolFile, bytes: Buffer): Promise<void> {
  await file.write(bytes, 0);
  await file.sync();
}

function segmentOf(found: FoundFiles, key: SegmentKey | undefined, scan: Scan | undefined): Segment {
  const paths = { path: found.path, keyPath: found.keyPath ?? keyName(found.sequence) };
  const segment = new Segment(found.sequence, key, paths, [found.bytes, found.keyBytes]);
  segment.isSealed = true;
  segment.first = scan?.first ?? 0;
  segment.last = scan?.first === undefined ? -1 : scan.last;
  segment.end = scan?.end ?? 0;
  // What cannot be told is old: an order to drop what is old must reach it.
  segment.sinceMs = scan?.sinceMs ?? 0;
  return segment;
}

/** Moves a segment out of the way. What can be read of it is delivered from there. */
async function setAside(
  found: FoundFiles,
  key: SegmentKey | undefined,
  { scan, content }: { readonly scan?: Scan; readonly content?: Buffer },
  reason: string,
  { ports, settings, behind }: Context,
): Promise<Inspected> {
  const segment = segmentOf(found, key, scan);
  segment.isDamaged = true;
  const recovered = scan?.blocks ?? 0;
  const { sequence } = found;
  segment.path = await moveAside(found.path, setAsideName(sequence, recovered), settings.folder, ports);
  if (found.keyPath !== undefined)
    segment.keyPath = await moveAside(found.keyPath, keyName(sequence), settings.folder, ports);
  if (content !== undefined && recovered > 0)
    await attempt(ports, () => keepContent(join(settings.folder, segment.path), content, ports.files));
  const expected = behind.isFirstKnown && scan?.first !== undefined ? behind.first - scan.first : 0;
  const lost = Math.max(0, expected - recovered);
  ports.onEvent({ kind: 'set-aside', segment: segment.path, reason, recovered, lost });
  const next = scan === undefined ? { ...behind, isFirstKnown: false } : behindOf(scan, behind);
  return { segment, behind: next, last: segment.last, isUnsure: true };
}

async function keepContent(path: string, content: Buffer, files: SpoolFiles): Promise<void> {
  const file = await files.open(path);
  try {
    await writeAgain(file, content);
  } finally {
    await file.close();
  }
}

/** @returns whether it worked; it matters little where it did not */
async function attempt({ onEvent }: Pick<SpoolPorts, 'onEvent'>, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (cause) {
    onEvent({ kind: 'upkeep-failed', cause });
    return false;
  }
}

/** Moves a file to those that are set aside. @returns where it lies now: where it was, if that failed, which is told */
export async function moveAside(
  path: string,
  name: string,
  folder: string,
  ports: Pick<SpoolPorts, 'files' | 'onEvent'>,
): Promise<string> {
  const aside = join(setAsideFolder, name);
  if (path === aside) return path;
  const isMoved = await attempt(ports, () => ports.files.rename(join(folder, path), join(folder, aside)));
  return isMoved ? aside : path;
}

type Content = { readonly bytes: Buffer; readonly key: Buffer | undefined } | { readonly problem: string };

async function readFound(folder: string, found: FoundFiles, files: SpoolFiles): Promise<Content> {
  if (found.bytes > maxSegmentBytes) return { problem: `it has ${found.bytes} bytes, more than any segment` };
  try {
    const bytes = await readWhole(files, join(folder, found.path), found.bytes);
    const { keyPath, keyBytes } = found;
    return { bytes, key: keyPath === undefined ? undefined : await readWhole(files, join(folder, keyPath), keyBytes) };
  } catch (error) {
    return { problem: `it cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Reads a file. */
export async function readWhole(files: SpoolFiles, path: string, length: number): Promise<Buffer> {
  const file = await files.open(path);
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, await file.read(bytes, 0));
  } finally {
    await file.close();
  }
}
