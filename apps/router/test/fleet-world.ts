import type { RawOutcome } from '@sluice/rpc/raw-client';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { Fleet } from '../src/runtimes/fleet.ts';
import { RuntimeLink } from '../src/runtimes/runtime-link.ts';
import type { RuntimeStatus } from '../src/runtimes/runtime-link.ts';
import { FedStreams, recordingLogger } from './doubles.ts';

/** What a runtime says of its versions. */
export function status(
  versions: readonly (readonly [string, number, boolean | 'on demand' | 'failed'])[],
  draining = false,
): RuntimeStatus {
  return {
    runtimeId: 'r1',
    versions: versions.map(([model, version, ready]) => ({
      ...{ model, version: String(version), ready: ready === true, onDemand: ready === 'on demand' },
      reason: ready === 'failed' ? 'no' : '',
    })),
    draining,
    protocolVersion: 1,
    loadsOnDemand: true,
  };
}

/** A fleet whose runtimes say what a test feeds them. */
export function fleetWorld(backoffMs: (failures: number) => number = () => 100) {
  const clock = new FakeClock();
  const { logger } = recordingLogger();
  const streams = new Map<string, FedStreams<string, RuntimeStatus>>();
  const closed: string[] = [];
  const pending: ((outcome: RawOutcome) => void)[] = [];
  const given = { up: 0 };
  const fleet = new Fleet({
    clock,
    connect: (address, onChange) => {
      const fed = new FedStreams<string, RuntimeStatus>();
      streams.set(address, fed);
      const link = new RuntimeLink({
        address,
        clock,
        logger,
        connection: {
          call: (_path, _message, _options, done) => {
            pending.push(done);
            return { cancel: () => (given.up += 1) };
          },
          isConnected: () => true,
          close: () => closed.push(address),
        },
        watchStatus: (signal) => fed.open(address, signal),
        backoffMs,
        onChange,
      });
      void link.run();
      return link;
    },
  });
  return {
    clock,
    fleet,
    streams,
    closed,
    pending,
    given,
    at: (key: string) => fleet.readyFor(key).map((link) => link.address),
  };
}
