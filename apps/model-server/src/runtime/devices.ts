import { failedPrecondition } from '@sluice/domain/errors';
import { isAsked } from '@sluice/domain/device';

/** How a session is made on a device. It is told to the session's thread, so it is plain data. */
export interface SessionDevice {
  /** Such as `cpu` or `cuda:0`. */
  readonly name: string;
  /** The execution provider as ONNX Runtime is told of it. */
  readonly provider: { readonly name: string; readonly deviceId?: number };
  /**
   * Whether operators that the provider does not have may run on the CPU. ONNX Runtime does that without a word, so a
   * graph that has one does not load where this is false.
   */
  readonly cpuToo: boolean;
  /** Whether all sessions on it share one thread of this process: its provider cannot be used by two at once. */
  readonly oneThread: boolean;
}

/** A kind of device that ONNX Runtime can run sessions on. */
export interface DeviceProvider {
  /** Its name without a number: `cuda`. */
  readonly kind: string;
  /** Whether there may be several, told apart by a number. */
  readonly numbered: boolean;
  /** @param number the device's, 0 where there is only one */
  readonly session: (number: number) => Omit<SessionDevice, 'name'>;
  /** How it is installed, for people. */
  readonly install: string;
}

/** A device that this runtime offers. */
export interface Device {
  readonly name: string;
  readonly state: 'available' | 'missing';
  /** What is missing and how it is installed; '' while it is there. */
  readonly detail: string;
  readonly session: SessionDevice;
}

/** Runs something small on a device, in a way that cannot harm this process. @returns why it did not work, '' if it did */
export type DeviceProbe = (device: SessionDevice) => Promise<string>;

/** Puts the provider's libraries where ONNX Runtime looks for them. npm has them not: they are too large for it. */
export const cudaInstall =
  'ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js' as const;

const cpu = {
  kind: 'cpu',
  numbered: false,
  session: () => ({ provider: { name: 'cpu' }, cpuToo: true, oneThread: false }),
  install: 'it is always there',
} as const satisfies DeviceProvider;

/** What onnxruntime-node can run on, in the order in which `auto` lists them. */
export const deviceProviders: readonly DeviceProvider[] = [
  cpu,
  {
    kind: 'cuda',
    numbered: true,
    session: (number) => ({ provider: { name: 'cuda', deviceId: number }, cpuToo: false, oneThread: false }),
    install:
      'CUDA needs Linux on x64, an NVIDIA driver, CUDA 12, cuDNN 9 and the provider libraries, which ' +
      `\`${cudaInstall}\` installs in the folder of Sluice`,
  },
  {
    kind: 'webgpu',
    numbered: false,
    // Its sessions share one queue of commands, and runs in two threads spoil each other's.
    session: () => ({ provider: { name: 'webgpu' }, cpuToo: false, oneThread: true }),
    install:
      'WebGPU is part of onnxruntime-node and needs a graphics card with its driver; on Linux one with Vulkan, and ' +
      'the package libvulkan1 (libvulkan.so.1)',
  },
];

/** The CPU, for sessions that are told of no device. */
export const cpuSession: SessionDevice = { name: cpu.kind, ...cpu.session() };

/** What a runtime offers that is told nothing of devices. */
export const cpuOnly: readonly Device[] = [{ name: cpu.kind, state: 'available', detail: '', session: cpuSession }];

/** The names that a setting may have: those of the providers, with a number where there may be several, and `auto`. */
export const isDeviceSetting = (name: string): boolean =>
  name === 'auto' || deviceProviders.some(({ kind, numbered }) => matches(name, kind, numbered));

const matches = (name: string, kind: string, numbered: boolean): boolean =>
  name === kind || (numbered && new RegExp(`^${kind}:(0|[1-9]\\d{0,2})$`).test(name));

/**
 * The devices that an asked-for one can be: those that are there, of those that this runtime offers.
 * @throws SluiceError failed-precondition with what to do when there is none
 */
export function usableDevices(asked: string, offered: readonly Device[]): readonly Device[] {
  const meant = offered.filter(({ name }) => isAsked(asked, name));
  const there = meant.filter(({ state }) => state === 'available');
  if (there.length > 0) return there;
  if (meant.length > 0) {
    const reasons = meant.map(({ name, detail }) => `${name} is missing: ${detail}`);
    throw failedPrecondition(`device "${asked}" cannot be used: ${reasons.join('; ')}`);
  }
  const names = offered.map(({ name }) => name).join(', ');
  throw failedPrecondition(
    `device "${asked}" is not one that this runtime offers (${names}): start it with --devices=${names},${asked}, or push ` +
      'the version for another device',
  );
}
