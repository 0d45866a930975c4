import { type Command, Option } from 'commander';
import { listPredictions, type PredictionFlags } from './commands/predictions.ts';
import { type ShowFlags, showPrediction } from './commands/show-prediction.ts';
import { showStatistics, type StatisticsFlags } from './commands/statistics.ts';
import type { CliContext } from './context.ts';
import { whole } from './options.ts';
import { labelPolicy, moment, seconds, versionNumbers } from './prediction-options.ts';

type Run = (command: Command) => CliContext;

const ranged = (of: Command): Command =>
  of
    .option('--model-version <numbers>', 'only these versions, with commas between', versionNumbers)
    .option('--arm <name>', 'only this arm of releases')
    .option('--from <time>', 'from this time on, or from so long ago: 24h, 7d (default: 24h)', moment)
    .option('--to <time>', 'before this time (default: now)', moment);

const policy = [
  '--labels <policy>',
  'which label of a row counts: latest, or trusted=SOURCE,SOURCE (default: as the model says)',
] as const;

const statisticsHelp = `
Records stand for others that were not kept: counts are estimates where they begin with ~, with their standard error in JSON.
Quality is measured where labels are there and answers were captured; it says so where they are not. With --label-age 24h only labels
that were at most a day older than their prediction count, and only predictions of which a day has passed: so a version of today
can be compared with one of last month.`;

/** What was predicted, and whether it was right. */
export function addPredictionCommands(program: Command, run: Run): void {
  ranged(program.command('predictions <model>').description('list predictions, newest first'))
    .addOption(new Option('--status <status>', 'only those that ended so').choices(['ok', 'failed']))
    .addOption(new Option('--labelled', 'only those with a label').conflicts('unlabelled'))
    .addOption(new Option('--unlabelled', 'only those without one'))
    .option('--request-id <id>', "only those of the caller's own id", '')
    .option('--subject <subject>', 'only those of this subject', '')
    .option('--limit <number>', 'how many at most', whole(1), 50)
    .option('--ids', 'nothing but their ids', false)
    .action(async (model: string, flags: PredictionFlags, self: Command) => listPredictions(run(self), model, flags));
  program
    .command('prediction')
    .description('look at one prediction')
    .command('show <id>')
    .description('all that is kept of one: versions, arms, why they ran, times, labels, feedback and audit entries')
    .option('--payload', 'input and output too; the access is written into the audit log', false)
    .option('--values <number>', 'values of a tensor that are shown', whole(1), 20)
    .option(...policy, labelPolicy)
    .option('--model <model>', 'where there is none: says how many of the predictions of this model are kept', '')
    .action(async (id: string, flags: ShowFlags, self: Command) => showPrediction(run(self), id, flags));
  ranged(program.command('stats <model>').description('counts, errors, latency, cost, labels and quality by version'))
    .addOption(new Option('--bucket <size>', 'a row for each').choices(['hour', 'day']))
    .option('--by-version', 'arms of a version together', false)
    .option('--label-age <duration>', 'compare at equal age of labels: 90s, 15m, 24h, 7d', seconds, 0)
    .option(...policy, labelPolicy)
    .option('--positive <class>', 'of precision and recall (default: as the version says, else the mean of all)', '')
    .addHelpText('after', statisticsHelp)
    .action(async (model: string, flags: StatisticsFlags, self: Command) => showStatistics(run(self), model, flags));
}
