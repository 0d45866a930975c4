import type { Clock, Random } from '@sluice/domain/clock';
import type { Logger } from '@sluice/service-kit/logger';
import type { ThreadRegister, WorkerHost } from '../runtime/worker-host.ts';
import { bootId, CrashFile, readLastLife, type LastLife } from './crash-file.ts';
import { judge } from './judge.ts';
import { StrikeBook } from './strike-book.ts';

/** What this runtime knows of crashes: those of earlier lives, and where this life leaves its own word. */
export interface Crashes {
  readonly book: StrikeBook;
  readonly file: CrashFile;
  /** Gives threads their marks, and knows those that live. */
  readonly register: ThreadRegister & { readonly threads: ReadonlySet<WorkerHost> };
}

/**
 * Finds out what the last life ended of, says so in the log, keeps it on disk, and begins the crash file of this life. To be
 * called before anything is loaded. A disk that cannot be written is logged and keeps nothing from being served.
 */
export async function openCrashes(
  { stateDir, lastEnd }: { readonly stateDir: string; readonly lastEnd: string },
  { clock, random, logger }: { readonly clock: Clock; readonly random: Random; readonly logger: Logger },
): Promise<Crashes> {
  const boot = bootId();
  const book = new StrikeBook(stateDir, () => clock.now());
  await book.read().catch((error: unknown) => {
    logger.error({ err: error }, 'strikes of earlier lives cannot be read and are forgotten');
  });
  const life = readOrForget(stateDir, boot, logger);
  const verdict = judge(life, lastEnd, clock.now());
  if (verdict.strike) {
    const { model, version, digest, kind } = verdict.strike;
    logger.error({ model, version, digest, kind }, 'a version ended the last life of this runtime');
  } else if (verdict.suspicion) {
    const { versions } = verdict.suspicion;
    logger.error(
      { versions },
      'one of these versions ended the last life of this runtime: they share a thread for a while',
    );
  }
  // On disk before the evidence goes; should this end in between, the same strike is found again under the same name.
  await book.add(verdict).catch((error: unknown) => {
    logger.error({ err: error }, 'strikes cannot be kept on disk');
  });
  const onProblem = (error: unknown): void => {
    logger.error({ err: error }, 'the crash file cannot be written: a crash will be the fault of no version');
  };
  const file = new CrashFile(stateDir, Buffer.from(random.bytes(16)).toString('hex'), boot, onProblem);
  return { book, file, register: registerOf(file) };
}

function readOrForget(stateDir: string, boot: string, logger: Logger): LastLife | undefined {
  try {
    return readLastLife(stateDir, boot);
  } catch (error) {
    logger.error({ err: error }, 'the crash file of the last life cannot be read');
    return undefined;
  }
}

function registerOf(file: CrashFile): Crashes['register'] {
  const threads = new Set<WorkerHost>();
  return {
    threads,
    started(thread) {
      threads.add(thread);
      return file.takeMark();
    },
    ended(thread, mark) {
      threads.delete(thread);
      file.giveMark(mark);
    },
  };
}
