/** What the store knows of an artifact without reading it. */
export interface ArtifactStat {
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch when it was last put or touched; grace periods count from here. */
  readonly storedAt: number;
}

/** The digest and size that an upload promised. */
export interface ExpectedArtifact {
  readonly sha256: string;
  readonly size: number;
}

/** Bytes that can be read in any order, so that a scanner can skip what it does not need. */
export interface ByteSource {
  /** Bytes in all. */
  readonly size: number;
  /** Bytes from `offset`, exactly `length` of them unless the source ends before. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Bytes named by their SHA-256, and small named documents beside them. Every replica of a registry sees the same store.
 * Nothing that a caller names reaches a file system or bucket unchecked: digests are 64 hex digits, documents have the
 * names of `checkDocumentName`. The suite in `test/artifact-store-contract.ts` says what every implementation must do.
 */
export interface ArtifactStore {
  /**
   * Stores the chunks as one artifact, without holding more than one chunk in memory. After it returns the bytes
   * survive a loss of power.
   *
   * - `stored` is false when the artifact was there already, in its size; its `storedAt` is then now, and the chunks are not read.
   * - `invalid-argument`: digest or size differ from what was promised, a chunk is over 1 MiB, or the size is over the
   *   store's bound.
   * - `resource-exhausted`: no room; what was written is removed.
   */
  put(expected: ExpectedArtifact, chunks: AsyncIterable<Uint8Array>): Promise<{ readonly stored: boolean }>;
  stat(sha256: string): Promise<ArtifactStat | undefined>;
  /** Sets `storedAt` to now, so that collection spares it; false when there is no such artifact. */
  touch(sha256: string): Promise<boolean>;
  /** Bytes from `offset` (default 0) to the end in chunks of at most 1 MiB. `not-found` when there is no such artifact. */
  read(sha256: string, offset?: number): AsyncIterable<Uint8Array>;
  /** For reading out of order. `not-found` when there is no such artifact; the caller closes it. */
  open(sha256: string): Promise<ByteSource>;
  /** Makes the artifact a read-only file of this machine at the absolute path `file`, by hard link where that works. */
  place(sha256: string, file: string): Promise<void>;
  /** False when there was none. Readers that have begun go on. */
  delete(sha256: string): Promise<boolean>;
  /**
   * Takes an artifact whose bytes are not those of its digest out of the way, so that a put stores it again; kept for
   * people where the store can. False when there was none.
   */
  setAside(sha256: string): Promise<boolean>;
  list(): AsyncIterable<ArtifactStat>;

  /** Writes a small document whole or not at all, replacing an older one of the name. At most 1 MiB. */
  writeDocument(name: string, bytes: Uint8Array): Promise<void>;
  readDocument(name: string): Promise<Uint8Array | undefined>;
  /** Names that start with `prefix`, in order. */
  listDocuments(prefix?: string): Promise<readonly string[]>;

  /** Removes what uploads left behind that did not end and have not written for `olderThanMs`; says how many. */
  collectInterrupted(olderThanMs: number): Promise<number>;
}
