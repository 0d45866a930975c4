import { failedPrecondition } from './errors.ts';
import { instanceGroupsOf, type InstanceGroup, type ServingConfig } from './signature.ts';

/** What says on which devices a version runs. */
export type DeviceWishes = Pick<ServingConfig, 'instanceGroups' | 'instanceCount' | 'device'>;

/** A runtime as placement sees it: its pool, and the names of the devices that it offers, there or not. */
export interface Offer {
  readonly pool: string;
  /** Such as `cpu`, `cuda:0`; empty for a runtime that knows of no devices, which has the CPU. */
  readonly devices: readonly string[];
}

/** The pool that versions for the CPU alone belong to. */
export const defaultPool = 'default';

const onCpu = 'cpu';

/** The name of a device without its number: `cuda` of `cuda:1`. */
export const deviceKind = (name: string): string => name.split(':', 1)[0]!;

/** Whether an offered device is one that was asked for: `cuda` asks for any of its kind, `cuda:1` for that one. */
export const isAsked = (asked: string, offered: string): boolean =>
  asked === offered || (!asked.includes(':') && asked === deviceKind(offered));

/** The groups of a version with every device named; nothing named is the CPU. */
export function deviceGroupsOf(wishes: DeviceWishes): readonly InstanceGroup[] {
  return instanceGroupsOf(wishes).map(({ count, device }) => ({ count, device: device === '' ? onCpu : device }));
}

/** The devices that a version asks for, each once, in the order of its groups. */
export const askedDevices = (wishes: DeviceWishes): readonly string[] => [
  ...new Set(deviceGroupsOf(wishes).map(({ device }) => device)),
];

/** Groups for people: `cuda:0 ×2, cpu ×1`; without a number where the runtime chooses. */
export const describeGroups = (groups: readonly InstanceGroup[]): string =>
  groups.map(({ count, device }) => (count === 0 ? device : `${device} ×${count}`)).join(', ');

const offeredBy = ({ devices }: Offer): readonly string[] => (devices.length === 0 ? [onCpu] : devices);

/** Whether runtimes of a pool may load a version, if they have its devices. */
export const isForPool = (wishes: DeviceWishes, pool: string): boolean =>
  pool === defaultPool || askedDevices(wishes).some((device) => device !== onCpu);

/**
 * Whether a runtime loads a version: it offers every device that the version asks for, and is of pool `default` where
 * that is the CPU alone. So other pools are kept for what needs their devices.
 */
export function isFor(wishes: DeviceWishes, runtime: Offer): boolean {
  if (!isForPool(wishes, runtime.pool)) return false;
  return askedDevices(wishes).every((device) => offeredBy(runtime).some((offered) => isAsked(device, offered)));
}

/** The runtimes that load a version, for people: `pool default`, `a pool that offers cuda:1`. */
export function whereItGoes(wishes: DeviceWishes): string {
  const asked = askedDevices(wishes);
  return asked.every((device) => device === onCpu)
    ? `pool ${defaultPool}`
    : `a pool that offers ${asked.join(' and ')}`;
}

/** Why no live runtime is to load a version, where none is. */
export function whyNobody(wishes: DeviceWishes, runtimes: readonly Offer[]): string {
  const asked = askedDevices(wishes);
  if (asked.every((device) => device === onCpu)) return `pool ${defaultPool} has no live runtime`;
  return `no live runtime offers ${asked.join(' and ')}: ${describeOffers(runtimes)}`;
}

/** By pool: `pool default has cpu; pool gpu has cpu, cuda:0`. */
function describeOffers(runtimes: readonly Offer[]): string {
  const pools = new Map<string, Set<string>>();
  for (const runtime of runtimes) {
    const known = pools.get(runtime.pool) ?? new Set();
    for (const device of offeredBy(runtime)) known.add(device);
    pools.set(runtime.pool, known);
  }
  if (pools.size === 0) return 'no runtime is live';
  return [...pools]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([pool, devices]) => `pool ${pool} has ${[...devices].sort().join(', ')}`)
    .join('; ');
}

/**
 * To be called before a version is placed. A version for the CPU waits for runtimes that may still start; no runtime comes
 * to have another device by itself, so that is said at once.
 *
 * @param runtimes those that are live
 * @throws SluiceError failed-precondition when the version asks for a device beside the CPU and no live runtime loads it
 */
export function checkOffered(
  version: { readonly model: string; readonly number: number; readonly serving: DeviceWishes },
  runtimes: readonly Offer[],
): void {
  const { model, number, serving } = version;
  const asked = askedDevices(serving);
  if (asked.every((device) => device === onCpu) || runtimes.some((runtime) => isFor(serving, runtime))) return;
  throw failedPrecondition(
    `version: ${model} version ${number} cannot be loaded: ${whyNobody(serving, runtimes)}. Start a model-server with --devices=${asked.join()}, or push the version for another device`,
  );
}
