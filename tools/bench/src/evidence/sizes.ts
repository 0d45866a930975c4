/** How much the rows about evidence do; chosen once, by the command line. */
export interface EvidenceSizes {
  /** Records that are ingested, and rows that the tables have at least when predictions are read. */
  readonly rows: number;
  /** Seconds that the spool must not grow for. */
  readonly holdSeconds: number;
  /** Seconds of a rate that is only tried. */
  readonly probeSeconds: number;
  /** Seconds that the database is away for. */
  readonly awaySeconds: number;
  /** Seconds of these after which memory must not grow any more. */
  readonly settledSeconds: number;
}

/** What the command line says of it; what it does not say follows from the kind of run. */
export interface EvidenceWishes {
  readonly kind: 'quick' | 'usual' | 'full';
  readonly rows?: number | undefined;
  readonly holdSeconds?: number | undefined;
  readonly awaySeconds?: number | undefined;
}

const byKind = {
  quick: { rows: 20_000, holdSeconds: 2, awaySeconds: 9 },
  usual: { rows: 1_000_000, holdSeconds: 20, awaySeconds: 90 },
  full: { rows: 10_000_000, holdSeconds: 60, awaySeconds: 300 },
} as const;
/** The shortest and the longest try of a rate. */
const probe = { least: 3, most: 8 };
/** What is not reached after the first minute grows. */
const settledAtMost = 60;

export function evidenceSizes(wishes: EvidenceWishes): EvidenceSizes {
  const usual = byKind[wishes.kind];
  const { rows = usual.rows, holdSeconds = usual.holdSeconds, awaySeconds = usual.awaySeconds } = wishes;
  return {
    ...{ rows, holdSeconds, awaySeconds },
    probeSeconds: Math.min(probe.most, Math.max(probe.least, holdSeconds / 3)),
    settledSeconds: Math.min(settledAtMost, awaySeconds / 3),
  };
}

/** Work that is done in turns: so many slices in each of some groups, all of one size. */
export interface SlicePlan {
  readonly groups: number;
  readonly slicesPerGroup: number;
  readonly rowsPerSlice: number;
}

/** A slice takes a second or two: what disturbs the machine disturbs what is compared alike. */
const rowsOfSlice = 50_000;
/** Fewer say nothing: a slice is at least some batches. */
const leastRows = 1_000;

/**
 * Cuts rows into slices, the same number of them for each group, so that each group gives one figure.
 * @returns a plan for at least `rows` rows
 */
export function slicePlan(rows: number, groups: number): SlicePlan {
  const slicesPerGroup = Math.max(1, Math.ceil(rows / groups / rowsOfSlice));
  return { groups, slicesPerGroup, rowsPerSlice: Math.max(leastRows, Math.ceil(rows / groups / slicesPerGroup)) };
}
