/** Names of what lies in a spool's folder. */

export const idFile = 'spool-id';
/** How far all is stored elsewhere. */
export const acknowledgedFile = 'acknowledged';
export const setAsideFolder = 'set-aside';

const pattern = /^(\d{10,16})(?:\.recovered-\d+)?\.segment$/;
const stem = (sequence: number): string => String(sequence).padStart(10, '0');

export const segmentName = (sequence: number): string => `${stem(sequence)}.segment`;
export const keyName = (sequence: number): string => `${stem(sequence)}.key`;
/** Of one that was set aside: it says how many blocks could be read. */
export const setAsideName = (sequence: number, recovered: number): string =>
  `${stem(sequence)}.recovered-${recovered}.segment`;

/** The number of the segment that has this file; undefined when it is none's. */
export function sequenceOf(name: string): number | undefined {
  const digits = pattern.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The number of the segment whose key this file has; undefined when it is none's. */
export function sequenceOfKey(name: string): number | undefined {
  const digits = /^(\d{10,16})\.key$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
