import { deviceGroupsOf, deviceKind } from '@sluice/domain/device';
import type { ServingConfig } from '@sluice/domain/signature';
import { usableDevices, type Device, type SessionDevice } from './devices.ts';
import { planThreads, type ThreadPlan, type ThreadWishes } from './threads.ts';

/** What a version asked for. */
export type SessionWishes = ThreadWishes & Pick<ServingConfig, 'cpuOperators'>;

/** Sessions of a version on one device. */
export interface SessionGroup {
  readonly device: SessionDevice;
  readonly count: number;
}

/** The sessions of a version, and the threads of each. */
export interface SessionPlan {
  readonly groups: readonly SessionGroup[];
  /** Of all groups together; `intraOpThreads` is that of sessions on the CPU. */
  readonly threads: ThreadPlan;
}

/** A session on another device has one: its work is there, and the thread hands it over and waits. */
export const intraOpThreadsOf = (device: SessionDevice, threads: ThreadPlan): number =>
  device.name === 'cpu' ? threads.intraOpThreads : 1;

/**
 * Decides where the sessions of a version are. Those of `cuda` without a number are dealt out over the devices of that kind
 * that are there, one where no count is given; those on the CPU share its threads as `planThreads` has it.
 *
 * @param threads cores that sessions on the CPU may use, 1 or more
 * @throws SluiceError failed-precondition when a device is not there, with the way to install it
 */
export function planSessions(wishes: SessionWishes, threads: number, offered: readonly Device[]): SessionPlan {
  const asked = deviceGroupsOf(wishes);
  const counts = new Map<Device, number>();
  for (const { count, device } of asked) {
    const usable = usableDevices(device, offered);
    if (deviceKind(device) === 'cpu') counts.set(usable[0]!, 0);
    else for (let dealt = 0; dealt < Math.max(1, count); dealt += 1) deal(usable, counts);
  }
  const onCpu = asked.some(({ device }) => deviceKind(device) === 'cpu') ? planThreads(wishes, threads) : undefined;
  const groups = [...counts].map(([{ session }, count]) => ({
    device: { ...session, cpuToo: session.cpuToo || wishes.cpuOperators },
    count: session.name === 'cpu' ? onCpu!.instances : count,
  }));
  const instances = groups.reduce((sum, { count }) => sum + count, 0);
  return { groups, threads: { instances, intraOpThreads: onCpu?.intraOpThreads ?? 1, note: onCpu?.note ?? '' } };
}

/**
 * The most sessions that `planSessions` gives, whatever devices are there.
 * @param threads as there
 */
export function mostSessions(wishes: SessionWishes, threads: number): number {
  const asked = deviceGroupsOf(wishes);
  const onCpu = asked.filter(({ device }) => deviceKind(device) === 'cpu');
  const others = asked.filter(({ device }) => deviceKind(device) !== 'cpu');
  const elsewhere = others.reduce((sum, { count }) => sum + Math.max(1, count), 0);
  return elsewhere + (onCpu.length > 0 ? planThreads(wishes, threads).instances : 0);
}

/** One more session for the device that has the fewest, the first of these. */
function deal(usable: readonly Device[], counts: Map<Device, number>): void {
  const of = (device: Device): number => counts.get(device) ?? 0;
  const least = usable.reduce((best, device) => (of(device) < of(best) ? device : best));
  counts.set(least, of(least) + 1);
}
