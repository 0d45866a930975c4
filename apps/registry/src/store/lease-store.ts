import type { Outage } from '@sluice/domain/lease';
import { heartbeatGapMs, leaseEnd, outagesNow } from '@sluice/domain/lease';
import type { LeaseTable } from '../usecases/lease.ts';
import type {
  Leases,
  LoadedVersion,
  RouterAnnouncement,
  RouterLease,
  RuntimeAnnouncement,
  RuntimeDevice,
  RuntimeLease,
} from '../usecases/records.ts';
import { wakeChannel } from './settle.ts';
import type { Sql } from './sql.ts';
import { toMs } from './sql.ts';

// Leases and heartbeats may be lost with the last half second before a crash of the database: they come again.
const lazily = `(select set_config('synchronous_commit', 'off', true)) as lazily`;
/** Outages that ended longer ago than this stretch no lease and no move any more. */
const keepOutages = `interval '2 days'`;
/** Lapsed leases are shown for this long. */
const keepLapsed = `interval '1 hour'`;

interface RuntimeRow {
  runtime_id: string;
  pool: string;
  address: string;
  applied_revision: number;
  ttl_ms: number;
  renewed_at: Date;
  versions: LoadedVersion[];
  memory_budget_bytes: number;
  memory_used_bytes: number;
  devices: RuntimeDevice[];
}

interface RouterRow {
  router_id: string;
  address: string;
  applied_revision: number;
  ttl_ms: number;
  renewed_at: Date;
}

/** Leases in Postgres: all replicas see the same, and the database's clock judges them. */
export class LeaseStore implements LeaseTable {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Wakes the replicas only when something changed that others wait for. */
  async renewRuntime(lease: RuntimeAnnouncement): Promise<void> {
    await this.#sql.query(
      `with old as (
         select pool, address, applied_revision, versions, devices,
                renewed_at + ttl_ms * interval '1 millisecond' > clock_timestamp() as live
         from registry.runtime_lease where runtime_id = $1
       ), renewed as (
         insert into registry.runtime_lease
           (runtime_id, pool, address, applied_revision, ttl_ms, versions, memory_budget_bytes, memory_used_bytes,
            devices, renewed_at)
         select $1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9::jsonb, clock_timestamp() from ${lazily}
         on conflict (runtime_id) do update set
           pool = excluded.pool, address = excluded.address, applied_revision = excluded.applied_revision,
           ttl_ms = excluded.ttl_ms, versions = excluded.versions,
           memory_budget_bytes = excluded.memory_budget_bytes, memory_used_bytes = excluded.memory_used_bytes,
           devices = excluded.devices, renewed_at = excluded.renewed_at
         returning 1
       )
       select pg_notify($10, 'lease') from renewed
       where not exists (
         select from old
         where live and (pool, address, applied_revision, versions, devices) = ($2, $3, $4, $6::jsonb, $9::jsonb)
       )`,
      [
        lease.runtimeId,
        lease.pool,
        lease.address,
        lease.appliedRevision,
        lease.ttlMs,
        JSON.stringify(lease.versions),
        lease.memoryBudgetBytes,
        lease.memoryUsedBytes,
        JSON.stringify(lease.devices),
        wakeChannel,
      ],
    );
  }

  async renewRouter(lease: RouterAnnouncement): Promise<void> {
    await this.#sql.query(
      `with old as (
         select address, applied_revision,
                renewed_at + ttl_ms * interval '1 millisecond' > clock_timestamp() as live
         from registry.router_lease where router_id = $1
       ), renewed as (
         insert into registry.router_lease (router_id, address, applied_revision, ttl_ms, renewed_at)
         select $1, $2, $3, $4, clock_timestamp() from ${lazily}
         on conflict (router_id) do update set
           address = excluded.address, applied_revision = excluded.applied_revision, ttl_ms = excluded.ttl_ms,
           renewed_at = excluded.renewed_at
         returning 1
       )
       select pg_notify($5, 'lease') from renewed
       where not exists (select from old where live and (address, applied_revision) = ($2, $3))`,
      [lease.routerId, lease.address, lease.appliedRevision, lease.ttlMs, wakeChannel],
    );
  }

  async release(holderId: string): Promise<void> {
    await this.#sql.query(
      `with runtimes as (delete from registry.runtime_lease where runtime_id = $1 returning 1),
            routers as (delete from registry.router_lease where router_id = $1 returning 1)
       select pg_notify($2, 'lease') from (select 1 from runtimes union all select 1 from routers) as released`,
      [holderId, wakeChannel],
    );
  }

  async read(): Promise<Leases> {
    return (await this.readWithOutages()).leases;
  }

  async readWithOutages(): Promise<{ readonly leases: Leases; readonly outages: readonly Outage[] }> {
    // One statement is one snapshot and one reading of the clock.
    const [row] = await this.#sql.query<{
      now: Date;
      heartbeat: Date;
      outages: { from: number; to: number }[];
      runtimes: (Omit<RuntimeRow, 'renewed_at'> & { renewed_at: number })[];
      routers: (Omit<RouterRow, 'renewed_at'> & { renewed_at: number })[];
    }>(
      `select clock_timestamp() as now,
         (select at from registry.write_heartbeat) as heartbeat,
         (select coalesce(json_agg(json_build_object('from', ${ms('from_at')}, 'to', ${ms('to_at')}) order by from_at), '[]')
          from registry.outage) as outages,
         (select coalesce(json_agg(to_jsonb(r) || jsonb_build_object('renewed_at', ${ms('r.renewed_at')})
                                   order by r.runtime_id), '[]')
          from registry.runtime_lease r) as runtimes,
         (select coalesce(json_agg(to_jsonb(r) || jsonb_build_object('renewed_at', ${ms('r.renewed_at')})
                                   order by r.router_id), '[]')
          from registry.router_lease r) as routers`,
    );
    const now = toMs(row!.now);
    const outages = outagesNow(row!.outages, toMs(row!.heartbeat), now);
    const view = (lease: { readonly renewed_at: number; readonly ttl_ms: number }) => {
      const expiresAt = leaseEnd({ renewedAt: lease.renewed_at, ttlMs: lease.ttl_ms }, outages);
      return { expiresAt, live: now < expiresAt };
    };
    const runtimes = row!.runtimes.map((lease): RuntimeLease => ({ ...toRuntime(lease), ...view(lease) }));
    const routers = row!.routers.map((lease): RouterLease => ({ ...toRouter(lease), ...view(lease) }));
    return { leases: { now, runtimes, routers }, outages };
  }

  /** Says that a registry can write now; records the outage when none could for longer than the gap. */
  async beat(): Promise<void> {
    await this.#sql.query(
      `with last as (select at, clock_timestamp() as now from registry.write_heartbeat for update),
            gap as (
              insert into registry.outage (from_at, to_at)
              select at, now from last where now - at > $1 * interval '1 millisecond'
              on conflict (from_at) do update set to_at = greatest(outage.to_at, excluded.to_at)
            )
       update registry.write_heartbeat h set at = greatest(h.at, last.now) from last, ${lazily}`,
      [heartbeatGapMs],
    );
  }

  /** Removes leases that lapsed long ago and outages that no lease remembers. */
  async prune(): Promise<void> {
    await this.#sql.query(
      `with runtimes as (delete from registry.runtime_lease where renewed_at < clock_timestamp() - ${keepLapsed}),
            routers as (delete from registry.router_lease where renewed_at < clock_timestamp() - ${keepLapsed})
       delete from registry.outage where to_at < clock_timestamp() - ${keepOutages}`,
    );
  }
}

/** Milliseconds since the epoch, of a column. */
function ms(column: string): string {
  return `(extract(epoch from ${column}) * 1000)::bigint`;
}

const noDevices = { devicesAsked: '', devicesGot: '' };

function toRuntime(row: Omit<RuntimeRow, 'renewed_at'>): RuntimeAnnouncement {
  return {
    runtimeId: row.runtime_id,
    pool: row.pool,
    address: row.address,
    appliedRevision: row.applied_revision,
    ttlMs: row.ttl_ms,
    // A lease of before there were devices says nothing of them.
    versions: row.versions.map((loaded) => ({ ...noDevices, ...loaded })),
    memoryBudgetBytes: row.memory_budget_bytes,
    memoryUsedBytes: row.memory_used_bytes,
    devices: row.devices,
  };
}

function toRouter(row: Omit<RouterRow, 'renewed_at'>): RouterAnnouncement {
  return {
    routerId: row.router_id,
    address: row.address,
    appliedRevision: row.applied_revision,
    ttlMs: row.ttl_ms,
  };
}
