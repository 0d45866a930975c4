import type { WatchServiceMethods } from '@sluice/contracts/services';
import type { Handlers } from '@sluice/rpc/handlers';
import { watch } from '@sluice/rpc/handlers';
import type { Clock } from '@sluice/domain/clock';
import { getAssignment } from '../usecases/get-assignment.ts';
import type { LeaseTable } from '../usecases/lease.ts';
import { checkDevices, releaseLease, renewRouterLease, renewRuntimeLease } from '../usecases/lease.ts';
import type { StrikePorts } from '../usecases/report-strike.ts';
import { reportStrike } from '../usecases/report-strike.ts';
import type { RegistryState } from '../usecases/state.ts';
import type { WatchPorts } from '../usecases/watch.ts';
import { agreeProtocol, watchDesired } from '../usecases/watch.ts';
import { answerInTime } from '../watch/answer-in-time.ts';
import { checkingTexts } from './check-texts.ts';
import { decodeRouter, decodeRuntime, decodeStrike } from './decode.ts';
import { encodeAssignment, encodeAssignments, encodeRoutes } from './encode-watch.ts';
import { partBytesFor } from './parts.ts';
import { readInteger, readVersion } from './scalars.ts';

export interface WatchServicePorts {
  readonly watch: WatchPorts;
  readonly state: RegistryState;
  readonly leases: LeaseTable;
  readonly strikes: StrikePorts;
  readonly clock: Clock;
}

/** Handlers of WatchService: decode, call the use case, encode. */
export function watchHandlers(ports: WatchServicePorts): Handlers<WatchServiceMethods> {
  const { leases, clock } = ports;
  return checkingTexts({
    watchRoutes: watch(async function* (request, ctx) {
      const protocolVersion = agreeProtocol(request.protocolVersion);
      const resumeToken = readInteger(request.resumeToken, 'resume_token');
      for await (const event of watchDesired(ports.watch, { resumeToken, protocolVersion }, true, ctx.signal)) {
        yield* encodeRoutes(event, protocolVersion, partBytesFor(protocolVersion));
      }
    }),
    watchAssignments: watch(async function* (request, ctx) {
      const protocolVersion = agreeProtocol(request.protocolVersion);
      const resumeToken = readInteger(request.resumeToken, 'resume_token');
      const { pool, devices } = request;
      checkDevices(devices);
      for await (const event of watchDesired(ports.watch, { resumeToken, protocolVersion }, false, ctx.signal)) {
        yield* encodeAssignments(event, { pool, devices }, protocolVersion, partBytesFor(protocolVersion));
      }
    }),
    renewRouterLease: async (request, { deadlineMs }) => ({
      ttlMs: await answerInTime(clock, deadlineMs, renewRouterLease(leases, decodeRouter(request))),
    }),
    getAssignment: async ({ model, version, pool }) => {
      const number = readVersion(version, 'version');
      return { assignment: encodeAssignment(model, await getAssignment(ports, { model, version: number, pool })) };
    },
    renewRuntimeLease: async (request, { deadlineMs }) => ({
      takesEvicted: true,
      ttlMs: await answerInTime(clock, deadlineMs, renewRuntimeLease(leases, decodeRuntime(request))),
    }),
    releaseLease: async ({ holderId }) => {
      await releaseLease(leases, holderId);
      return {};
    },
    reportStrike: async (request) => reportStrike(ports.strikes, decodeStrike(request)),
  });
}
