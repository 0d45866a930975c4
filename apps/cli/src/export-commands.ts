import { formats } from '@sluice/tabular/formats';
import { type Command, Option } from 'commander';
import { type ExportFlags, exportRows } from './commands/export.ts';
import type { CliContext } from './context.ts';
import { labelPolicy } from './prediction-options.ts';
import { policyOption, ranged } from './prediction-commands.ts';

const help = `
OUTPUT has a row for each row of each attempt: ids, version, arm, role, time, keep_probability (the weight is 1 over it), the truth
with its source and times, what was predicted, and a column for each feature or tensor (input.NAME, output.NAME). States say
where there is nothing: not-captured, erased, not-decodable. Subjects are keyed hashes. OUTPUT.manifest.json says what the file
is. The same --horizon, which the manifest has, gives the same rows again. The access is written into the audit log.`;

/** Predictions with their truth, as files. */
export function addExportCommand(program: Command, run: (command: Command) => CliContext): void {
  ranged(program.command('export <model>').description('write predictions with their truth into a file'))
    .requiredOption('--output <file>', 'where they go')
    .addOption(new Option('--format <format>', 'of the file (default: by its name)').choices(formats))
    .option('--role <role>', 'only those of this role: primary, candidate or shadow', '')
    .addOption(new Option('--status <status>', 'only those that ended so').choices(['ok', 'failed']))
    .addOption(new Option('--labelled', 'only rows with a label').conflicts('unlabelled'))
    .addOption(new Option('--unlabelled', 'only rows without one'))
    .option(...policyOption, labelPolicy)
    .option('--no-payload', 'leave inputs and outputs out; nothing is written into the audit log then')
    .option('--horizon <horizon>', 'of an earlier manifest: what was stored since is left out', '')
    .option('--data-set <name>', 'register the file as the next version of this data set')
    .option('--run <id>', 'the run of a pipeline that makes it, which is under way')
    .option('--overwrite', 'replace a file that is there', false)
    .option('--progress', 'lines of progress where standard error is no terminal', false)
    .addHelpText('after', help)
    .action(async (model: string, flags: ExportFlags, self: Command) => exportRows(run(self), model, flags));
}
