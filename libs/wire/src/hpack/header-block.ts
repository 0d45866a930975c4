/** The fields of a decoded header block. The same object may stand for many requests: nobody changes it. */
export interface HeaderBlock {
  /** Names and values in turn, octets as Latin-1. Empty when the list is too long to be kept. */
  readonly fields: readonly string[];
  /** As SETTINGS_MAX_HEADER_LIST_SIZE counts: 32 octets for each field beside its name and value. */
  readonly listSize: number;
  /** Fields, and each further value that stands in one of bytes. */
  readonly values: number;
  /** The list is longer than allowed. It was read to its end all the same, as the tables of both sides must agree. */
  readonly tooLong: boolean;
  /** Whatever a reader made of it, so that it is made once for blocks that repeat. */
  meaning?: unknown;
}

/** RFC 7541, section 4.1, and RFC 9113, section 6.5.2: what a field counts beside its octets. */
export const fieldOverhead = 32;
