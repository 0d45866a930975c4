import { shareable } from '../../src/versions/shareable.ts';

/** Lets versions share a thread whose graph opens slowly, as all do on a busy machine. @returns puts it back as it was */
export function openSlowly(): () => void {
  const limits = shareable as { openMs: number };
  const { openMs } = limits;
  limits.openMs = 500;
  return () => void (limits.openMs = openMs);
}
