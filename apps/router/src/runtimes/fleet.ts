import type { Clock } from '@sluice/domain/clock';
import { DemandRefusals } from './demand-refusals.ts';
import type { RuntimeSite } from '../watch/decode-routes.ts';
import { byRendezvous } from './rendezvous.ts';
import type { RuntimeLink } from './runtime-link.ts';

export interface FleetOptions {
  /** Makes the link to an address and starts it. */
  readonly connect: (address: string, onChange: () => void) => RuntimeLink;
  readonly clock: Pick<Clock, 'monotonic'>;
}

const none: readonly RuntimeLink[] = [];

/**
 * The runtimes that this router knows, one link per address. The registry says where runtimes are; what they have and
 * whether they live is known from the links alone.
 */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #refusals: DemandRefusals<RuntimeLink>;
  readonly #links = new Map<string, RuntimeLink>();
  #wanted: ReadonlySet<string> = new Set();
  #offers: ReadonlyMap<string, RuntimeSite> = new Map();
  #index: ReadonlyMap<string, readonly RuntimeLink[]> = new Map();
  #listeners: (() => void)[] = [];

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#refusals = new DemandRefusals(options.clock);
  }

  get links(): readonly RuntimeLink[] {
    return [...this.#links.values()];
  }

  /** Runtimes that can run a version now; see `versionKey`. */
  readyFor(key: string): readonly RuntimeLink[] {
    return this.#index.get(key) ?? none;
  }

  /**
   * Runtimes where requests wait until a version is loaded, the one first that every router takes, so that one of them loads
   * it. For a version that is placed these are the runtimes that gave it up for others; for any other all those that live
   * and have not failed to load it, but where it is on its way, those alone. Never those that said a short while ago that
   * they cannot load it.
   */
  onDemandFor({ key, placed }: { readonly key: string; readonly placed: boolean }): readonly RuntimeLink[] {
    const up = this.links.filter((link) => link.state === 'up');
    let may = up.filter((link) => link.onDemand.has(key));
    if (may.length === 0 && !placed) may = up.filter((link) => link.loadsOnDemand && !link.notReady.has(key));
    const willing = may.filter((link) => this.#refusals.of(link, key) === undefined);
    return byRendezvous(willing, key);
  }

  /** A runtime has said that it cannot load a version on demand. It is not asked again for a while; see `DemandRefusals`. */
  cannotLoad(link: RuntimeLink, key: string, why: string): void {
    this.#refusals.add(link, key, why);
  }

  /** The routes have changed: runtimes are asked again for what they could not load. */
  routesChanged(): void {
    this.#refusals.clear();
  }

  /** Why a version is loaded by none of the runtimes that were asked; undefined when none has said. */
  whyNotLoaded(key: string): string | undefined {
    for (const link of this.#links.values()) {
      const why = this.#refusals.of(link, key);
      if (why !== undefined && link.state === 'up') return why;
    }
    return undefined;
  }

  /** True when some runtime is up. */
  get anyUp(): boolean {
    return this.links.some((link) => link.state === 'up');
  }

  /** Calls `listener` after every change of what is ready. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Sets the runtimes that the registry names, as `setAddresses` does, with what each offers. */
  setRuntimes(runtimes: readonly RuntimeSite[]): void {
    this.#offers = new Map(runtimes.map((runtime) => [runtime.address, runtime]));
    this.setAddresses(runtimes.map(({ address }) => address));
  }

  /**
   * Sets the addresses that the registry names. A runtime that it names no more is kept while its link stands: leases
   * lapse when the registry is in trouble, too.
   */
  setAddresses(addresses: readonly string[]): void {
    this.#wanted = new Set(addresses);
    for (const address of this.#wanted) {
      if (!this.#links.has(address))
        this.#links.set(
          address,
          this.#options.connect(address, () => this.#changed()),
        );
      const offer = this.#offers.get(address);
      if (offer) this.#links.get(address)!.offer = offer;
    }
    this.#changed();
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  #changed(): void {
    for (const [address, link] of this.#links) {
      if (this.#wanted.has(address) || link.state === 'up' || link.state === 'draining') continue;
      this.#links.delete(address);
      link.close();
    }
    const index = new Map<string, RuntimeLink[]>();
    for (const link of this.#links.values()) {
      if (link.state !== 'up') continue;
      for (const key of link.ready) {
        const list = index.get(key);
        if (list) list.push(link);
        else index.set(key, [link]);
      }
    }
    this.#index = index;
    for (const listener of this.#listeners) listener();
  }
}
