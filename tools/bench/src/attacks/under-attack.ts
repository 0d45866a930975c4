import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { attacks } from '@sluice/wire/testing/attacks';
import { runProgram } from '../child-json.ts';
import { echoPath } from '../echo-path.ts';
import { windowOf, type OpenLoopJob, type OpenLoopResult } from '../open-loop-job.ts';
import { newSeries, openLoopProblems, type Scenario } from '../scenario.ts';
import { startHelper } from '../helper-process.ts';
import { grpcFrame } from '../workloads.ts';
import { attackProblems, type AttackJob, type AttackResult } from './attack-job.ts';

/** What an honest client may wait while others attack, 99 times of 100. */
const targetMs = 100;
/** Of the honest client, on four connections. */
const perSecond = 200;
const deadlineMs = 5_000;
const requestOctets = 200;
/** Server, clients and the attack have become what they are after that. */
const settleMs = 1_500;
/** The attack goes on for longer than what is measured. */
const afterMs = 1_000;

export interface UnderAttackOptions {
  readonly folder: string;
  /** That are measured, of each run. */
  readonly seconds: number;
}

/** A row for each attack of libs/wire, and one without any, which they are to be compared with. */
export const underAttack = (options: UnderAttackOptions): Scenario[] =>
  [undefined, ...Object.keys(attacks)].map((attack) => oneAttack(attack, options));

function oneAttack(attack: string | undefined, { folder, seconds }: UnderAttackOptions): Scenario {
  const what = attack === undefined ? 'nobody attacks' : `under attack by ${attack}`;
  const target = attack === undefined ? undefined : ({ is: 'at most', value: targetMs } as const);
  const p99 = newSeries(`wire: p99 of an honest client, ${what}`, 'ms', target);
  const frameFile = path.join(folder, 'honest.frame');
  return {
    name: `attack/${attack ?? 'none'}`,
    series: [p99],
    prepare: async () => writeFileSync(frameFile, grpcFrame(Buffer.alloc(requestOctets, 'b'))),
    run: async () => {
      // A server that nobody has attacked before.
      const server = await startHelper('attacks/attacked-server.ts');
      try {
        const job: OpenLoopJob = {
          ...{ address: `127.0.0.1:${server.port}`, path: echoPath, frameFile, perSecond, deadlineMs },
          seconds: settleMs / 1000 + seconds,
        };
        const [result, attacked] = await Promise.all([
          runProgram('open-loop.ts', job) as Promise<OpenLoopResult>,
          attack && attackBy({ attack, port: server.port, seconds: job.seconds + afterMs / 1000 }),
        ]);
        const fromMs = result.dueAtMs[0]! + settleMs;
        const toMs = fromMs + seconds * 1000;
        const { goodP99Ms, refused, others } = windowOf(result, fromMs, toMs);
        p99.values.push(goodP99Ms);
        p99.problems.push(...openLoopProblems(result));
        if (attacked) p99.problems.push(...attackProblems(attacked, fromMs, toMs));
        if (refused > 0 || Object.keys(others).length > 0)
          p99.problems.push(`requests of the honest client failed: ${refused} refused, ${JSON.stringify(others)}`);
      } finally {
        server.stop();
      }
    },
  };
}

const attackBy = async (job: AttackJob): Promise<AttackResult> =>
  (await runProgram('attacks/attacker.ts', job)) as AttackResult;
