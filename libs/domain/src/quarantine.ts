import { failedPrecondition, type SluiceError } from './errors.ts';

/** How a version ended its runtime: in a batch or in its load, by the end of a native call or by the lack of one. */
export const strikeKinds = ['crashed', 'hung', 'crashed-loading', 'hung-loading'] as const;
export type StrikeKind = (typeof strikeKinds)[number];

/** Strikes in one pool with which a version is quarantined: it is loaded in no pool then. */
export const strikesAllowed = 3;
/** How long a strike counts, in milliseconds since the registry heard of it: a version that is well for a day begins anew. */
export const strikeCountsForMs = 24 * 60 * 60 * 1000;

export const isStrikeKind = (text: string): text is StrikeKind => strikeKinds.some((kind) => kind === text);

const deeds: Readonly<Record<StrikeKind, string>> = {
  crashed: 'crashed',
  hung: 'hung',
  'crashed-loading': 'crashed while it was loaded by',
  'hung-loading': 'hung while it was loaded by',
};

/** Why a version is quarantined, for people: "it ended its runtime 3 times: crashed runtime-1, hung runtime-2, …". */
export function quarantineReason(
  strikes: readonly { readonly kind: StrikeKind; readonly runtimeId: string }[],
): string {
  const told = strikes.map(({ kind, runtimeId }) => `${deeds[kind]} ${runtimeId}`);
  return `it ended its runtime ${strikes.length} times: ${told.join(', ')}`;
}

/** The refusal of anything that would need the version to be loaded, with the way out. */
export function quarantinedError(of: {
  readonly model: string;
  readonly version: number;
  readonly reason: string;
}): SluiceError {
  return failedPrecondition(`${of.model} version ${of.version} is quarantined: ${of.reason}; ${wayOut(of)}`);
}

/** What to do about a quarantined version. */
export const wayOut = ({ model, version }: { readonly model: string; readonly version: number | string }): string =>
  `serve another version, or let it be loaded again with \`sluice quarantine lift ${model} ${version}\``;
