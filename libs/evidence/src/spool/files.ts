/** An open file, as far as the spool uses one. Failures are Node's errors with their `code`. */
export interface SpoolFile {
  /** Writes all of `bytes` at that place; what lies between the end and it becomes zeros. */
  write(bytes: Uint8Array, at: number): Promise<void>;
  /** @returns how many bytes were read; fewer than `into` has only at the end of the file */
  read(into: Uint8Array, at: number): Promise<number>;
  /** Makes the content, and the length, survive a loss of power. */
  sync(): Promise<void>;
  /** Cuts the file off; it is never made longer by this. */
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

export interface FileEntry {
  readonly name: string;
  readonly size: number;
}

/**
 * What the spool needs of a file system. `node-files.ts` is the machine's own, `testing/simulated-files.ts` one that forgets,
 * fills up and fails as told.
 */
export interface SpoolFiles {
  /** Makes the folder and those above it, where they are not there. */
  makeFolder(path: string): Promise<void>;
  /**
   * Takes a folder for this process, until it is released or the process ends, however it does.
   *
   * @throws SluiceError failed-precondition when it is taken
   */
  lock(folder: string): Promise<FolderLock>;
  /** Makes a file that must not exist. */
  create(path: string): Promise<SpoolFile>;
  /** Opens a file that must exist, for reading and cutting. */
  open(path: string): Promise<SpoolFile>;
  /** The files in a folder, without its sub-folders. */
  list(folder: string): Promise<readonly FileEntry[]>;
  /** False when it was not there. */
  remove(path: string): Promise<boolean>;
  rename(from: string, to: string): Promise<void>;
  /** Makes the names in a folder survive a loss of power. */
  syncFolder(path: string): Promise<void>;
}

export interface FolderLock {
  release(): void;
}
