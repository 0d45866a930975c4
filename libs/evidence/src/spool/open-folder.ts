import { join } from 'node:path';
import { SluiceError } from '@sluice/domain/errors';
import type { SpoolPorts } from './contract.ts';
import type { FileEntry, FolderLock } from './files.ts';
import { inspectSegment, readWhole } from './inspect-segment.ts';
import type { Behind, FoundFiles } from './inspect-segment.ts';
import { keptPositionBytes, makeKeptPosition, readKeptPosition } from './kept-position.ts';
import { acknowledgedFile, idFile, keyName, segmentName, sequenceOf, sequenceOfKey, setAsideFolder } from './names.ts';
import type { SpoolSettings } from './options.ts';
import { Segment } from './segment.ts';
import { SegmentList } from './segment-list.ts';

/** More than the largest segment has room for. So all positions up to segment number n are below (n + 1) times this. */
const positionsPerSegment = 2 ** 24;

/** A folder of a spool, taken and repaired. */
export interface OpenedFolder {
  readonly lock: FolderLock;
  readonly spoolId: string;
  readonly segments: SegmentList;
  /** Up to here all was acknowledged, as far as that was kept. */
  readonly acknowledged: number;
  /** Highest position that is taken. */
  readonly position: number;
  /** Number of the next segment. */
  readonly sequence: number;
}

/**
 * Takes a folder, makes it where there is none, and repairs what is in it.
 *
 * @throws SluiceError failed-precondition when another process has it; resource-exhausted or unavailable with the file system's error
 *   where the folder itself cannot be used
 */
export async function openFolder(settings: SpoolSettings, ports: SpoolPorts): Promise<OpenedFolder> {
  const { folder } = settings;
  let lock: FolderLock | undefined;
  try {
    await ports.files.makeFolder(join(folder, setAsideFolder));
    lock = await ports.files.lock(folder);
    return { lock, ...(await repair(settings, ports)) };
  } catch (cause) {
    lock?.release();
    if (cause instanceof SluiceError) throw cause;
    const kind = (cause as NodeJS.ErrnoException).code === 'ENOSPC' ? 'resource-exhausted' : 'unavailable';
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(kind, `the spool ${folder} cannot be opened: ${what}`, { cause });
  }
}

async function repair(settings: SpoolSettings, ports: SpoolPorts): Promise<Omit<OpenedFolder, 'lock'>> {
  const { folder } = settings;
  const entries = await ports.files.list(folder);
  const aside = await ports.files.list(join(folder, setAsideFolder));
  const spoolId = await idOf(settings, ports, entries);
  const { found, keys, remains } = findSegments(entries, aside);
  const { size } = entries.find(({ name }) => name === acknowledgedFile) ?? {};
  const read = size === undefined ? 0 : await readKeptPosition(ports.files, folder);
  const canKeep = await makeKeptPosition(ports.files, folder, size);
  const segments = new SegmentList(spoolId.length + (canKeep ? keptPositionBytes : 0));
  segments.remains.push(...remains);
  const sequence = 1 + Math.max(0, ...keys.keys(), ...found.map((each) => each.sequence), ...remains.map(sequenceIn));
  const kept: Segment[] = [];
  let behind: Behind = { first: Infinity, isFirstKnown: false };
  let position = 0;
  let isUnsure = false;
  for (const each of found.sort((one, other) => other.sequence - one.sequence)) {
    const inspected = await inspectSegment(each, { settings, ports, behind });
    behind = inspected.behind;
    position = Math.max(position, inspected.last);
    isUnsure ||= inspected.isUnsure;
    if (inspected.segment) kept.unshift(inspected.segment);
    else segments.others.add(goneSegment(each.sequence, each.path, each.bytes, keys.get(each.sequence)));
    keys.delete(each.sequence);
  }
  for (const segment of kept) segments.add(segment);
  // A crash came between the two files of a segment that was being made.
  for (const [number, key] of keys) segments.others.add(goneSegment(number, segmentName(number), 0, key));
  await ports.files.syncFolder(join(folder, setAsideFolder));
  await ports.files.syncFolder(folder);
  // What could not be read may have positions that no other block must get; its segments do not have as many as this.
  if (isUnsure) position = Math.max(position, sequence * positionsPerSegment);
  // What was set aside may not have been delivered when those behind it were.
  const first = Math.min(...kept.filter((each) => each.isDamaged && each.hasBlocks).map((each) => each.first));
  const acknowledged = Math.min(read, first - 1);
  // What was acknowledged had its position, whatever became of its segment.
  return { spoolId, segments, acknowledged, position: Math.max(position, read), sequence };
}

const sequenceIn = ({ path }: { readonly path: string }): number => sequenceOf(path.slice(setAsideFolder.length + 1))!;

function findSegments(entries: readonly FileEntry[], aside: readonly FileEntry[]) {
  const all = [...entries, ...aside.map(({ name, size }) => ({ name: join(setAsideFolder, name), size }))];
  const plain = (name: string): string => name.split('/').at(-1)!;
  const keys = new Map<number, FileEntry>();
  for (const entry of all) {
    const sequence = sequenceOfKey(plain(entry.name));
    if (sequence !== undefined) keys.set(sequence, entry);
  }
  const found: FoundFiles[] = [];
  const remains: { path: string; bytes: number }[] = [];
  for (const { name, size } of all) {
    const sequence = sequenceOf(plain(name));
    if (sequence === undefined) continue;
    const key = keys.get(sequence);
    if (key === undefined && name.startsWith(setAsideFolder)) remains.push({ path: name, bytes: size });
    else found.push({ sequence, path: name, bytes: size, keyPath: key?.name, keyBytes: key?.size ?? 0 });
  }
  return { found, keys, remains };
}

/** What is to be deleted, by upkeep: it tries again where it cannot. */
function goneSegment(sequence: number, path: string, bytes: number, key: FileEntry | undefined): Segment {
  const paths = { path, keyPath: key?.name ?? keyName(sequence) };
  const segment = new Segment(sequence, undefined, paths, [bytes, key?.size ?? 0]);
  segment.isGone = true;
  return segment;
}

/** The id of the spool; another one when the file is not what it should be. */
async function idOf({ folder }: SpoolSettings, ports: SpoolPorts, entries: readonly FileEntry[]): Promise<string> {
  const { files, randomBytes } = ports;
  const entry = entries.find(({ name }) => name === idFile);
  if (entry) {
    const id = (await readWhole(files, join(folder, idFile), Math.min(entry.size, 64))).toString('latin1');
    if (/^[0-9a-f]{32}$/.test(id)) return id;
  }
  const id = Buffer.from(randomBytes(16)).toString('hex');
  const temporary = join(folder, `${idFile}.tmp`);
  await files.remove(temporary);
  const file = await files.create(temporary);
  try {
    await file.write(Buffer.from(id), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(temporary, join(folder, idFile));
  await files.syncFolder(folder);
  return id;
}
