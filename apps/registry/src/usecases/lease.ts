import { invalidArgument } from '@sluice/domain/errors';
import { checkModelName, clip } from '@sluice/domain/names';
import type { Leases, RouterAnnouncement, RuntimeAnnouncement } from './records.ts';

export const defaultTtlMs = 3_000;
const shortestTtlMs = 500;
const longestTtlMs = 60_000;
const mostVersions = 10_000;
const mostDevices = 64;

/** Leases, shared by all replicas; not audited. */
export interface LeaseTable {
  renewRuntime(announcement: RuntimeAnnouncement): Promise<void>;
  renewRouter(announcement: RouterAnnouncement): Promise<void>;
  /** Ends the lease of a router or runtime at once. */
  release(holderId: string): Promise<void>;
  read(): Promise<Leases>;
}

/** Writes a runtime's lease; answers the time to live that counts. */
export async function renewRuntimeLease(table: LeaseTable, announcement: RuntimeAnnouncement): Promise<number> {
  checkHolder('runtime_id', announcement.runtimeId);
  checkHolder('pool', announcement.pool);
  checkAddress(announcement.address);
  if (announcement.versions.length > mostVersions) {
    throw invalidArgument(`versions: ${announcement.versions.length} given; expected at most ${mostVersions}`);
  }
  checkDevices(announcement.devices.map(({ name }) => name));
  for (const { model } of announcement.versions) checkModelName(model, 'versions.model');
  const ttlMs = boundTtl(announcement.ttlMs);
  await table.renewRuntime({ ...announcement, ttlMs });
  return ttlMs;
}

/** Writes a router's lease; answers the time to live that counts. */
export async function renewRouterLease(table: LeaseTable, announcement: RouterAnnouncement): Promise<number> {
  checkHolder('router_id', announcement.routerId);
  checkAddress(announcement.address);
  const ttlMs = boundTtl(announcement.ttlMs);
  await table.renewRouter({ ...announcement, ttlMs });
  return ttlMs;
}

/** Ends a lease at once; one that does not exist has ended already. */
export async function releaseLease(table: LeaseTable, holderId: string): Promise<void> {
  await table.release(checkHolder('holder_id', holderId));
}

/** 0 means the default; others are brought within bounds. */
function boundTtl(ttlMs: number): number {
  return ttlMs === 0 ? defaultTtlMs : Math.min(longestTtlMs, Math.max(shortestTtlMs, ttlMs));
}

function checkHolder(field: string, id: string): string {
  if (!/^[A-Za-z0-9._-]{1,128}$/.test(id)) {
    throw invalidArgument(`${field}: "${clip(id)}" given; expected 1 to 128 of letters, digits, '.', '_' or '-'`);
  }
  return id;
}

/** To be called with the names of the devices that a runtime says it offers, wherever it says so. */
export function checkDevices(names: readonly string[]): void {
  if (names.length > mostDevices) {
    throw invalidArgument(`devices: ${names.length} given; expected at most ${mostDevices}`);
  }
  for (const name of names) {
    if (!/^[a-z][a-z0-9]{0,31}(:(0|[1-9][0-9]{0,2}))?$/.test(name)) {
      throw invalidArgument(`devices: "${clip(name)}" given; expected a kind and perhaps a number, such as cuda:0`);
    }
  }
}

function checkAddress(address: string): void {
  if (!/^\S{1,255}:[0-9]{1,5}$/.test(address)) {
    throw invalidArgument(`address: "${clip(address)}" given; expected host:port`);
  }
}
