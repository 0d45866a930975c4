import { isForPool, whereItGoes } from '@sluice/domain/device';
import { failedPrecondition, invalidArgument, unavailable } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { quarantineReason, strikesAllowed } from '@sluice/domain/quarantine';
import { withdraw } from './end-move.ts';
import type { LeaseTable } from './lease.ts';
import { requireModel, requireVersion } from './lookups.ts';
import type { StrikeRecord, VersionRecord } from './records.ts';
import type { Entry, RegistryState, StateChange, StateReads } from './state.ts';

/** Strikes, shared by all replicas; not audited. */
export interface StrikeTable {
  /** Keeps a strike; false for one that it has already, which stays as it was. */
  add(strike: StrikeRecord): Promise<boolean>;
}

export interface StrikePorts {
  readonly state: RegistryState;
  readonly table: StrikeTable;
  readonly leases: Pick<LeaseTable, 'read'>;
  /** Told of a strike that was not known yet. */
  readonly onStrike: (strike: StrikeRecord) => void;
}

/** A strike with the digest of what ran. */
export type ReportedStrike = StrikeRecord & { readonly digest: string };

/** For so long after its lease lapsed a runtime may report what happened to it, in milliseconds. */
const lapsedMs = 60 * 60 * 1000;
/** One that has just started has its lease at once. */
const retryAfterMs = 1_000;

/** What became of the version. */
export interface StrikeAnswer {
  /** In any pool: nobody loads it. */
  readonly quarantined: boolean;
  /** That count now, in the pool. */
  readonly strikes: number;
}

/**
 * Keeps what a version did to a runtime; the third time within a day in one pool quarantines the version, in one audited
 * change that also gives up moves to it. The same strike again changes nothing and answers alike. Aliases and pins stay.
 * Of a version that is quarantined nothing more is kept.
 *
 * @throws SluiceError unavailable when the runtime has announced itself in that pool neither now nor within an hour, not-found
 *   and failed-precondition when the version is not there, not one that runtimes load, not for the pool or of other bytes
 */
export async function reportStrike(ports: StrikePorts, { digest, ...strike }: ReportedStrike): Promise<StrikeAnswer> {
  for (const [field, id] of Object.entries({ strike_id: strike.id, runtime_id: strike.runtimeId, pool: strike.pool }))
    checkId(field, id);
  const { state, table } = ports;
  const before = await state.read(async (reads) => {
    const version = await requireVersion(reads, (await requireModel(reads, strike.model)).name, strike.version);
    checkLoadable(version, digest, strike.pool);
    return answerNow(reads, strike);
  });
  await checkRuntime(ports.leases, strike);
  if (before.quarantined) return before;
  if (await table.add(strike)) ports.onStrike(strike);
  const answer = await state.read((reads) => answerNow(reads, strike));
  if (answer.quarantined || answer.strikes < strikesAllowed) return answer;
  return state.change(`runtime:${strike.runtimeId}`, async (change) => {
    // Another replica may have done it, or somebody lifted it, since the strikes were counted.
    const now = await answerNow(change, strike);
    if (now.quarantined || now.strikes < strikesAllowed) return { entries: [], result: now };
    return { entries: await quarantine(change, strike), result: { ...now, quarantined: true } };
  });
}

function checkLoadable(version: VersionRecord, digest: string, pool: string): void {
  const name = `${version.model} version ${version.number}`;
  if (version.state !== 'ready') throw failedPrecondition(`version: ${name} is ${version.state}; no runtime loads it`);
  if (version.digest !== digest) {
    throw failedPrecondition(`digest: ${clip(digest)} given; ${name} has ${version.digest}`);
  }
  if (isForPool(version.serving, pool)) return;
  throw failedPrecondition(`pool: ${name} is for ${whereItGoes(version.serving)}, not for pool ${pool}`);
}

/** Strikes come from runtimes that are known, or were until they ended. */
async function checkRuntime(leases: StrikePorts['leases'], { runtimeId, pool }: StrikeRecord): Promise<void> {
  const { now, runtimes } = await leases.read();
  const lease = runtimes.find((one) => one.runtimeId === runtimeId && one.pool === pool);
  if (lease && lease.expiresAt > now - lapsedMs) return;
  throw unavailable(
    `runtime_id: no runtime ${runtimeId} has a lease in pool ${pool}, nor had one within the last hour; announce it first`,
    { retryAfterMs },
  );
}

async function answerNow(reads: StateReads, { pool, model, version }: StrikeRecord): Promise<StrikeAnswer> {
  const quarantines = await reads.quarantines(model);
  const strikes = await reads.strikes({ pool, model, version });
  return {
    quarantined: quarantines.some((one) => one.version === version),
    strikes: strikes.length,
  };
}

async function quarantine(change: StateChange, strike: StrikeRecord): Promise<readonly Entry[]> {
  const { pool, model, version } = strike;
  const strikes = await change.strikes(strike);
  const reason = quarantineReason(strikes);
  await change.touchVersion(model, version);
  await change.insertQuarantine({ model, version, pool, reason });
  const entries: Entry[] = [
    {
      action: 'version.quarantined',
      object: `model/${model}/version/${version}`,
      body: { model, version, pool, reason, strikes: strikes.map(({ id }) => id) },
    },
  ];
  const moves = await change.pendingMoves([model]);
  for (const move of moves.filter(({ toVersion }) => toVersion === version)) {
    const { entry } = await withdraw(change, move, [`version ${version} was quarantined: ${reason}`]);
    entries.push(entry);
  }
  await change.settle(model);
  return entries;
}

function checkId(field: string, id: string): void {
  if (/^[A-Za-z0-9._-]{1,128}$/.test(id)) return;
  throw invalidArgument(`${field}: "${clip(id)}" given; expected 1 to 128 of letters, digits, '.', '_' or '-'`);
}
