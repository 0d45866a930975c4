import type { Offer } from '@sluice/domain/device';
import type { Leases, RuntimeLease } from './records.ts';
import type { RegistryState } from './state.ts';

/** What a change needs that places a version: the runtimes that could load it decide whether it may. */
export interface PlacingPorts {
  readonly state: RegistryState;
  readonly leases: { read(): Promise<Leases> };
}

/** What placement goes by of a runtime. */
export const offerOf = ({ pool, devices }: Pick<RuntimeLease, 'pool' | 'devices'>): Offer => ({
  pool,
  devices: devices.map(({ name }) => name),
});

/** What each live runtime offers. */
export const liveOffers = ({ runtimes }: Leases): readonly Offer[] => runtimes.filter(({ live }) => live).map(offerOf);
