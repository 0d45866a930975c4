import { deviceProviders, type DeviceProvider } from '../../src/runtime/devices.ts';
import type { DevicePorts } from '../../src/runtime/find-devices.ts';

/**
 * A device that is none: sessions run on the CPU, and everything else is as with a card. What a number stands for:
 * 0 to 5 work; 6 works for one thread at a time; 7 has a provider that is not there, which nobody noticed; 8 has no operators at all; 9 is missing.
 */
const fake: DeviceProvider = {
  kind: 'fake',
  numbered: true,
  session: (number) => ({
    provider: number === 7 ? { name: 'cuda', deviceId: 99 } : { name: 'cpu' },
    cpuToo: number !== 8,
    oneThread: number === 6,
  }),
  install: 'plug in a fake',
};

/** What a runtime has instead of the devices of its machine. */
export const fakePorts: DevicePorts = {
  providers: [...deviceProviders, fake],
  probe: async ({ name }) => (name.startsWith('fake:') && name !== 'fake:9' ? '' : `nobody has a ${name}`),
};
