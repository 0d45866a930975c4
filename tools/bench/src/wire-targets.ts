import type { Figures, LoadSeries } from './figures.ts';
import type { Row } from './row.ts';
import { cpuTarget, rateTarget } from './target-rows.ts';

/** Of the small model and its echo, on libs/wire. */
const workload = 'small';
const echoTargets = { inFlight: 64, serverUs: 5, overEcho: 8 };
/** Requests/s over those of the grpc-js echo, by requests in flight. */
const direct = [
  { inFlight: 64, overEcho: 5 },
  { inFlight: 256, overEcho: 6 },
  { inFlight: 16, overEcho: 2.2 },
  { inFlight: 1, overEcho: 0.8 },
];
const router = [
  { inFlight: 64, overEcho: 2.8 },
  { inFlight: 256, overEcho: 2.8 },
];
const cpu = { inFlight: 64, directUs: 9, routerUs: 12 };

/** What libs/wire is to reach. Those of model-server and router hold where these stand on it. */
export function wireRows(figures: Figures): Row[] {
  const find = (subject: string, inFlight: number): LoadSeries | undefined =>
    figures.load.find((one) => one.workload === workload && one.subject === subject && one.inFlight === inFlight);
  const over = (name: string, subject: string, inFlight: number, atLeast: number): Row[] => {
    const [of, echo] = [find(subject, inFlight), find('echo', inFlight)];
    return of && echo ? [rateTarget(`${name} over grpc-js echo (${inFlight} in flight)`, of, echo, atLeast)] : [];
  };
  const costs = (name: string, subject: string, process: string, atMost: number): Row[] => {
    const of = find(subject, cpu.inFlight);
    return of ? [cpuTarget(`${name} (${cpu.inFlight} in flight)`, of, process, atMost)] : [];
  };
  const rows = [
    ...costs('wire: CPU of an echo', 'wire-echo', 'wire-echo', echoTargets.serverUs),
    ...over('wire: echo', 'wire-echo', echoTargets.inFlight, echoTargets.overEcho),
  ];
  if (figures.transport !== 'wire') return rows;
  return [
    ...rows,
    ...costs('wire: CPU of the model-server, small model, direct', 'direct', 'model-server', cpu.directUs),
    ...costs('wire: CPU of the router, small model', 'router', 'router', cpu.routerUs),
    ...direct.flatMap(({ inFlight, overEcho }) => over('wire: small model, direct', 'direct', inFlight, overEcho)),
    ...router.flatMap(({ inFlight, overEcho }) => over('wire: small model, router', 'router', inFlight, overEcho)),
  ];
}
