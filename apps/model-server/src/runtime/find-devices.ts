import { deviceKind } from '@sluice/domain/device';
import { invalidArgument } from '@sluice/domain/errors';
import type { Device, DeviceProbe, DeviceProvider, SessionDevice } from './devices.ts';

/** Where devices come from; tests have providers of their own. */
export interface DevicePorts {
  readonly providers: readonly DeviceProvider[];
  readonly probe: DeviceProbe;
}

/** `auto` looks for no more of one kind. */
const mostOfAKind = 16;

/**
 * Finds out which devices are there. The CPU is without being tried.
 * @param wanted names, each perhaps without its number, which is 0 then; or `auto` alone for all that are there
 */
export async function findDevices(wanted: readonly string[], ports: DevicePorts): Promise<readonly Device[]> {
  if (wanted.includes('auto')) return findAll(ports);
  const sessions = new Map(wanted.map((name) => sessionOf(name, ports)).map((session) => [session.name, session]));
  return Promise.all([...sessions.values()].map((session) => tryDevice(session, ports)));
}

function providerOf(name: string, { providers }: DevicePorts): DeviceProvider {
  const provider = providers.find(({ kind }) => kind === deviceKind(name));
  if (!provider) throw invalidArgument(`devices: "${name}" is not known here`);
  return provider;
}

function sessionOf(name: string, ports: DevicePorts): SessionDevice {
  const provider = providerOf(name, ports);
  return numbered(provider, Number(name.split(':')[1] ?? 0));
}

const numbered = (provider: DeviceProvider, number: number): SessionDevice => ({
  name: provider.numbered ? `${provider.kind}:${number}` : provider.kind,
  ...provider.session(number),
});

async function tryDevice(session: SessionDevice, ports: DevicePorts): Promise<Device> {
  const { name } = session;
  const reason = name === 'cpu' ? '' : await ports.probe(session);
  if (reason === '') return { name, session, state: 'available', detail: '' };
  return { name, session, state: 'missing', detail: `${reason}. ${providerOf(name, ports).install}` };
}

/** All that are there: of each kind, from number 0 up to the first that is not. */
async function findAll(ports: DevicePorts): Promise<readonly Device[]> {
  const found = await Promise.all(
    ports.providers.map(async (provider) => {
      const devices: Device[] = [];
      for (let number = 0; number < (provider.numbered ? mostOfAKind : 1); number += 1) {
        const device = await tryDevice(numbered(provider, number), ports);
        if (device.state === 'missing') break;
        devices.push(device);
      }
      return devices;
    }),
  );
  return found.flat();
}
