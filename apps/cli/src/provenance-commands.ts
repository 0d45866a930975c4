import { type Command, Option } from 'commander';
import { type AddFlags, addDataSet, listDataSets, showDataSet } from './commands/data-sets.ts';
import { type LineageFlags, showLineage } from './commands/lineage.ts';
import { type EndFlags, endRun, listRuns, showRun, type StartFlags, startRun } from './commands/runs.ts';
import type { CliContext } from './context.ts';
import { whole } from './options.ts';
import { columns, dataSetOrNewest, dataSetRefs, versionRefs } from './provenance-options.ts';

type Run = (command: Command) => CliContext;

/** Data sets, runs of pipelines, and lineage. */
export function addProvenanceCommands(program: Command, run: Run): void {
  addDataSetCommands(program, run);
  addRunCommands(program, run);
  addLineageCommand(program, run);
}

const addHelp = `
FILE is read for its SHA-256 and goes nowhere; --digest says it of what is not a file here. The same facts again are the same
version; other facts of the same bytes, such as another location, are a version of their own.`;

function addDataSetCommands(program: Command, run: Run): void {
  const dataset = program.command('dataset').description('versions of the data that models come from');
  dataset
    .command('add <name> [file]')
    .description('make a version of a data set')
    .option('--digest <sha256>', 'in the place of FILE')
    .option('--columns <columns>', 'NAME:TYPE with commas between; types may be left out', columns)
    .option('--rows <number>', 'how many rows it has', whole(0))
    .option('--parent <name@n>', 'what it was made from; once for each', dataSetRefs)
    .option('--location <uri>', 'where it is, without a password')
    .option('--format <name>', 'csv, jsonl, parquet … (default: by the name of FILE)')
    .option('--manifest <file>', 'a JSON object with whatever else there is to say')
    .option('--run <id>', 'the run that makes it, which is under way')
    .addHelpText('after', addHelp)
    .action(async (name: string, file: string | undefined, flags: AddFlags, self: Command) =>
      addDataSet(run(self), name, file, flags),
    );
  dataset
    .command('list [name]')
    .description('the data sets, or the versions of one')
    .action(async (name: string | undefined, _: unknown, self: Command) => listDataSets(run(self), name));
  dataset
    .command('show <name>')
    .description('everything of NAME@N, or of the newest version of NAME')
    .action(async (name: string, _: unknown, self: Command) => showDataSet(run(self), name));
}

function addRunCommands(program: Command, run: Run): void {
  const runs = program.command('run').description('runs of pipelines: what they read and made, and how they ended');
  runs
    .command('start <pipeline>')
    .description('say that a run begins; there is one of each attempt at a time')
    .option('--scheduled <time>', 'the time that it is for (default: now)')
    .option('--attempt <number>', 'which attempt it is', whole(1), 1)
    .option('--input <name@n>', 'what it reads; once for each', dataSetRefs)
    .action(async (pipeline: string, flags: StartFlags, self: Command) => startRun(run(self), pipeline, flags));
  runs
    .command('end <id>')
    .description('say that a run has ended, and what it made besides what named it')
    .option('--failed [reason]', 'it failed')
    .option('--input <name@n>', 'what it read, besides what its start named; once for each', dataSetRefs)
    .option('--output <name@n>', 'a data set version that it made; once for each', dataSetRefs)
    .option('--model-version <model:n>', 'a version that it made; once for each', versionRefs)
    .action(async (id: string, flags: EndFlags, self: Command) => endRun(run(self), id, flags));
  runs
    .command('list [pipeline]')
    .description('the runs, newest first')
    .addOption(new Option('--state <state>', 'only these').choices(['running', 'succeeded', 'failed']))
    .option('--limit <number>', 'how many', whole(1), 50)
    .action(async (pipeline: string | undefined, flags: { state?: string; limit: number }, self: Command) =>
      listRuns(run(self), pipeline ?? '', flags),
    );
  runs
    .command('show <id>')
    .description('everything of a run')
    .action(async (id: string, _: unknown, self: Command) => showRun(run(self), id));
}

function addLineageCommand(program: Command, run: Run): void {
  program
    .command('lineage [model]')
    .description(
      'where MODEL[:VERSION] (default champion), a data set, a run or a prediction came from, and what it reached',
    )
    .option('--data-set <name@n>', 'begin at a data set version; without @N at its newest', dataSetOrNewest)
    .option('--run <id>', 'begin at a run')
    .option('--prediction <id>', 'begin at a prediction: every version that took part in it, and where that came from')
    .option('--up', 'only where it came from', false)
    .option('--down', 'only what it reached', false)
    .option('--depth <number>', 'most steps, up to 32', whole(1), 10)
    .option('--nodes <number>', 'most things, up to 1,000', whole(1), 200)
    .action(async (model: string | undefined, flags: LineageFlags, self: Command) =>
      showLineage(run(self), model, flags),
    );
}
