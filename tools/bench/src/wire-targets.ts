import type { Figures, LoadSeries } from './figures.ts';
import { largeInFlight, largePlan } from './large-requests.ts';
import { tlsSuffix } from './load-rows.ts';
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
/** MB/s of large requests over what node:http2 reads of the same: those of the same requests/s. */
const large = { workload: largePlan.name, inFlight: largeInFlight, overHttp2: 1 };
const directCpu = { inFlight: 64, serverUs: 9 };
const routerCpu = [
  { inFlight: 64, serverUs: 12 },
  { inFlight: 256, serverUs: 12 },
];

/** What libs/wire is to reach. Those of model-server and router hold where these stand on it. */
export function wireRows(figures: Figures): Row[] {
  const find = (subject: string, inFlight: number): LoadSeries | undefined =>
    figures.load.find((one) => one.workload === workload && one.subject === subject && one.inFlight === inFlight);
  const over = (name: string, subject: string, inFlight: number, atLeast: number): Row[] => {
    const [of, echo] = [find(subject, inFlight), find('echo', inFlight)];
    return of && echo ? [rateTarget(`${name} over grpc-js echo (${inFlight} in flight)`, of, echo, atLeast)] : [];
  };
  const costs = (
    name: string,
    subject: string,
    process: string,
    cpu: { inFlight: number; serverUs: number },
  ): Row[] => {
    const of = find(subject, cpu.inFlight);
    return of ? [cpuTarget(`${name} (${cpu.inFlight} in flight)`, of, process, cpu.serverUs)] : [];
  };
  const rows = [
    ...costs('wire: CPU of an echo', 'wire-echo', 'wire-echo', echoTargets),
    ...over('wire: echo', 'wire-echo', echoTargets.inFlight, echoTargets.overEcho),
  ];
  if (figures.transport !== 'wire') return rows;
  return [
    ...rows,
    ...costs('wire: CPU of the model-server, small model, direct', 'direct', 'model-server', directCpu),
    ...routerCpu.flatMap((cpu) => costs('wire: CPU of the router, small model', 'router', 'router', cpu)),
    ...direct.flatMap(({ inFlight, overEcho }) => over('wire: small model, direct', 'direct', inFlight, overEcho)),
    ...router.flatMap(({ inFlight, overEcho }) => over('wire: small model, router', 'router', inFlight, overEcho)),
    ...largeRows(figures),
    ...tlsRows(figures),
  ];
}

/** What TLS 1.3 leaves of each rate: of every subject `<name>-tls` over the one without. There is no target. */
function tlsRows({ load }: Figures): Row[] {
  return load.flatMap((of) => {
    const plain = load.find(
      (one) =>
        one.workload === of.workload && `${one.subject}${tlsSuffix}` === of.subject && one.inFlight === of.inFlight,
    );
    const name = `wire: ${of.workload}, ${plain?.subject} with TLS 1.3, over without (${of.inFlight} in flight)`;
    return plain ? [rateTarget(name, of, plain, undefined)] : [];
  });
}

function largeRows({ load }: Figures): Row[] {
  const find = (subject: string): LoadSeries | undefined =>
    load.find((one) => one.workload === large.workload && one.subject === subject && one.inFlight === large.inFlight);
  const [direct, http2] = [find('direct'), find('http2')];
  const name = `wire: MB/s of 600 kB requests into an average, over node:http2 (${large.inFlight} in flight)`;
  return direct && http2 ? [rateTarget(name, direct, http2, large.overHttp2)] : [];
}
