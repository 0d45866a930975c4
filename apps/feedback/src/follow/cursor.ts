import { createHash } from 'node:crypto';
import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { keyLength } from './position.ts';
import type { Position } from './position.ts';

/** Whose transaction ids a cursor speaks of. */
export interface History {
  /** Changes when the stored ids are rewritten. */
  readonly id: string;
  /** The system identifier of the cluster. */
  readonly system: string;
  /** Of the cluster's log: another one after a recovery to a point in time, or when a standby took over. */
  readonly timeline: number;
}

export const isSame = (one: History, other: History): boolean =>
  one.id === other.id && one.system === other.system && one.timeline === other.timeline;

/** Where a subscriber stands. */
export interface Cursor {
  readonly history: History;
  /** Sequence of the last loss of rows that it has been told of. */
  readonly losses: number;
  readonly position: Position;
}

const version = 1;
const digestBytes = 8;
const head = 1 + digestBytes;
const mostCharacters = 16_384;

/** A text that stands for a cursor; only `readCursor` knows what is in it. */
export function cursorText({ history: { id, system, timeline }, losses, position }: Cursor): string {
  const { transaction, table, key } = position;
  const body = Buffer.from(JSON.stringify([id, system, timeline, losses, String(transaction), table, ...key]));
  return Buffer.concat([Buffer.of(version), digest(body), body]).toString('base64url');
}

/** @throws SluiceError invalid-argument for a text that `cursorText` did not make, here or in another replica */
export function readCursor(text: string): Cursor {
  const bytes = text.length > mostCharacters ? Buffer.alloc(0) : Buffer.from(text, 'base64url');
  const body = bytes.subarray(head);
  // What base64 skips would be another text for the same cursor.
  if (bytes.length <= head || bytes.toString('base64url') !== text) throw wrong(text);
  if (bytes[0] !== version)
    throw invalidArgument(
      `cursor: its version is ${bytes[0]}, this software reads ${version}: ask a replica of the software that gave it`,
    );
  if (!digest(body).equals(bytes.subarray(1, head))) throw wrong(text);
  const [id, system, timeline, losses, transaction, table, ...key] = JSON.parse(body.toString()) as [
    ...[string, string, number, number, string, number],
    ...string[],
  ];
  if (key.length !== (keyLength[table] ?? 0)) throw wrong(text);
  return {
    history: { id, system, timeline },
    losses,
    position: { transaction: BigInt(transaction), table, key },
  };
}

const digest = (body: Buffer): Buffer => createHash('sha256').update(body).digest().subarray(0, digestBytes);

const wrong = (text: string) =>
  invalidArgument(
    `cursor: "${clip(text)}" is not one that Subscribe gave, or not all of it; send it as it came, or begin without one`,
  );
