import { inferenceService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { connect, pause } from './platform.ts';

const limitMs = 60_000;

/** A version that a runtime loads and unloads as it is told. */
export class PinnedVersion {
  readonly #registryAddress: string;
  readonly #runtimeAddress: string;
  readonly #which: { readonly model: string; readonly version: string };

  constructor(registryAddress: string, runtimeAddress: string, which: { model: string; version: string }) {
    this.#registryAddress = registryAddress;
    this.#runtimeAddress = runtimeAddress;
    this.#which = which;
  }

  /** Pins it or takes the pin away; nothing happens when that is so already. */
  async set(pinned: boolean): Promise<void> {
    const registry = connect(this.#registryAddress);
    try {
      const { version: now } = await registry.getVersion(this.#which);
      if (now?.pinned === pinned) return;
      const which = { model: this.#which.model, version: Number(this.#which.version) };
      await (pinned ? registry.pinVersion(which) : registry.unpinVersion(which));
    } finally {
      registry.close();
    }
  }

  /** Waits until the runtime answers for it, or does not any more. */
  async becomes(state: 'ready' | 'gone'): Promise<void> {
    const { model: name, version } = this.#which;
    const runtime = createRpcClient(inferenceService, this.#runtimeAddress, { clock: systemClock });
    try {
      const end = Date.now() + limitMs;
      while (Date.now() < end) {
        if ((await runtime.modelReady({ name, version })).ready === (state === 'ready')) return;
        await pause(20);
      }
      throw new Error(`${name} was not ${state} within ${limitMs / 1000} s`);
    } finally {
      runtime.close();
    }
  }
}
