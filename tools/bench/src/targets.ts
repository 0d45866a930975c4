import { restName, type Figures, type LoadSeries } from './figures.ts';
import { row, type Row } from './row.ts';
import { median } from './statistics.ts';
import { checksOf, cpuOf, cpuRow, cpuTarget, rateTarget, ratioRow } from './target-rows.ts';
import { wireRows } from './wire-targets.ts';

/** A subject's rate over raw ONNX Runtime's. */
interface OverRaw {
  readonly workload: string;
  readonly subject: 'direct' | 'router';
  /** The number in flight at which it is best, unless it is said. */
  readonly inFlight?: number;
  /** The batch size at which ONNX Runtime is best, unless it is said. */
  readonly batch?: number;
  /** The gRPC stack that it is a target of; any, unless it is said. */
  readonly transport?: 'wire';
  readonly atLeast: number;
}

const overRaw: readonly OverRaw[] = [
  { workload: 'convnet', subject: 'direct', atLeast: 0.97 },
  { workload: 'convnet', subject: 'router', atLeast: 0.95 },
  { workload: 'perceptron', subject: 'router', atLeast: 0.5 },
  { workload: 'perceptron', subject: 'router', inFlight: 512, batch: 128, atLeast: 0.65 },
  { workload: 'perceptron', subject: 'direct', inFlight: 512, batch: 128, transport: 'wire', atLeast: 0.92 },
  { workload: 'perceptron', subject: 'router', inFlight: 512, batch: 128, transport: 'wire', atLeast: 0.88 },
];
/** Of the small model, which costs next to nothing itself: what is left is the transport, and ours. */
const smallTargets = { workload: 'small', inFlight: 64, overEcho: 0.6, serverUs: 12, routerBeyondEchoUs: 25 };
const restLimitMegabytes = 150;

/** The rows that have a target, of what was measured, and those that are compared and only reported. */
export function targetRows(figures: Figures): Row[] {
  return [
    ...overRaw.flatMap((target) => overRawRow(figures, target)),
    ...transportRows(figures),
    ...wireRows(figures),
    ...figures.rest.map((series) =>
      row(restName(series), 'MB', series.megabytes, [], { is: 'at most', value: restLimitMegabytes }),
    ),
    ...figures.scenarios.map(({ name, unit, values, problems, target, of }) =>
      row(name, unit, values, problems, target, of),
    ),
  ];
}

function overRawRow(figures: Figures, { workload, subject, inFlight, batch, transport, atLeast }: OverRaw): Row[] {
  if (transport !== undefined && transport !== figures.transport) return [];
  const raws = figures.raw.filter((one) => one.workload === workload);
  const raw = batch === undefined ? raws.find((one) => one.best) : raws.find((one) => one.batch === batch);
  const of = figures.load.filter((one) => one.workload === workload && one.subject === subject);
  const series = inFlight === undefined ? bestOf(of) : of.find((one) => one.inFlight === inFlight);
  if (!raw || !series) return [];
  const what = transport === undefined ? workload : `${transport}: ${workload}`;
  const name = `${what}: ${subject} (${series.inFlight} in flight) over raw ONNX Runtime (batch ${raw.batch})`;
  return [ratioRow(name, series, raw.rowsPerSecond, [], atLeast)];
}

function transportRows(figures: Figures): Row[] {
  const { workload, inFlight, overEcho, serverUs, routerBeyondEchoUs } = smallTargets;
  const at = (subject: string): LoadSeries | undefined =>
    figures.load.find(
      (series) => series.workload === workload && series.subject === subject && series.inFlight === inFlight,
    );
  const [direct, router, echo] = [at('direct'), at('router'), at('echo')];
  const rows: Row[] = [];
  if (direct && echo) {
    const name = `${workload}: direct over grpc-js echo (${inFlight} in flight)`;
    rows.push(rateTarget(name, direct, echo, overEcho));
  }
  if (router) {
    const name = `link: CPU of the model-server, ${workload} model (${inFlight} in flight)`;
    rows.push(cpuTarget(name, router, 'model-server', serverUs));
  }
  if (router && echo) {
    const echoUs = cpuOf(echo, 'echo');
    const beyond = cpuOf(router, 'router').map((us, round) => us - (echoUs[round] ?? NaN));
    const name = `link: CPU of the router beyond a grpc-js echo (${inFlight} in flight)`;
    rows.push(cpuRow(name, router, beyond, checksOf(echo), routerBeyondEchoUs));
  }
  return rows;
}

/** The series of the highest median rate: the number in flight at which this server is at its best. */
function bestOf(series: readonly LoadSeries[]): LoadSeries | undefined {
  const rate = (one: LoadSeries): number => median(one.runs.map((run) => run.requestsPerSecond));
  return series.toSorted((a, b) => rate(b) - rate(a))[0];
}
