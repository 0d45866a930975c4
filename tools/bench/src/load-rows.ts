import type { BenchOptions } from './options.ts';
import type { WorkloadPlan } from './workloads.ts';

/** Of the name of a subject that is reached by TLS; without it, it is the name of the same that is not. */
export const tlsSuffix = '-tls';
/** Where TLS is measured: the model, and the requests in flight. */
const secured = { plan: 'small', inFlight: 64 };

/** Servers that send the small model's request back. */
export type EchoName = 'echo' | 'wire-echo' | 'wire-echo-tls';
/** Servers of a platform. */
export type PlatformName = 'direct' | 'direct-tls' | 'router' | 'router-tls';
export type SubjectName = EchoName | PlatformName | 'http2';

/** In the order in which they take turns: each with TLS behind the one without, which it is compared with. */
const echoes: readonly EchoName[] = ['echo', 'wire-echo', 'wire-echo-tls'];
const servers: readonly PlatformName[] = ['direct', 'direct-tls', 'router', 'router-tls'];

export const isSecured = (name: SubjectName): boolean => name.endsWith(tlsSuffix);
export const isEcho = (name: SubjectName): name is EchoName => echoes.some((echo) => echo === name);

/** Servers that are compared: they stand in one group. */
export interface LoadGroup {
  readonly inFlight: number;
  readonly names: readonly (EchoName | PlatformName)[];
}

/** What is measured under load with a model; without groups in which there is nothing. */
export function loadGroups(
  plan: Pick<WorkloadPlan, 'name' | 'alsoInFlight'>,
  options: Pick<BenchOptions, 'only' | 'inFlight' | 'isInFlightChosen' | 'transport'>,
): LoadGroup[] {
  const { only, inFlight: counts, isInFlightChosen, transport } = options;
  const also = isInFlightChosen || plan.alsoInFlight === undefined ? [] : [plan.alsoInFlight];
  const all = plan.name === 'small' ? [...echoes, ...servers] : servers;
  const isMeasured = (name: SubjectName, inFlight: number): boolean =>
    !isSecured(name) || (transport === 'wire' && plan.name === secured.plan && inFlight === secured.inFlight);
  return [...counts, ...also]
    .map((inFlight) => ({
      inFlight,
      names: all.filter((name) => isMeasured(name, inFlight) && only.test(`${plan.name}/${name}/${inFlight}`)),
    }))
    .filter(({ names }) => names.length > 0);
}
