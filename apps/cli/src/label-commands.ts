import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { labelFile, type LabelFlags } from './commands/label.ts';
import { giveFeedback, type FeedbackFlags } from './commands/feedback.ts';
import type { CliContext } from './context.ts';
import { whole } from './options.ts';

const fileHelp = `
FILE is CSV with a heading; with - standard input is read. Its columns, in any order:
  prediction_id   the prediction, or
  request_id      the caller's own id of it, with --model
  label or value  the true class, or the true number
  row             from 0 (default: 0)
  source          who says so (default: --source)
  labelled_at     when it was found: 2026-11-22T14:03:05Z, or seconds since 1970
Others are left alone. What is recorded already is a duplicate: the same file may be sent again.
The exit status is 4 when labels were refused.`;

/** A number, as commander has it in text. */
function finite(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.');
  return value;
}

/** Commands that say what was true of predictions, or what somebody thinks of them. */
export function addLabelCommands(program: Command, run: (command: Command) => CliContext): void {
  program
    .command('label <file>')
    .description('say what was true: a CSV file of labels')
    .option('--model <model>', 'the model that request ids are of', '')
    .option('--source <name>', 'who says so, where the file does not', 'cli')
    .option('--rejected <file>', 'write refused rows to this CSV file, with the reasons')
    .addHelpText('after', fileHelp)
    .action(async (file: string, flags: LabelFlags, self: Command) => labelFile(run(self), file, flags));
  program
    .command('feedback <prediction>')
    .description('say what somebody thinks of a prediction')
    .option('--model <model>', "the prediction is given by the caller's own request id of this model", '')
    .option('--row <number>', 'the row that it is about (default: all of it)', whole(0))
    .option('--rating <number>', 'from -100 to 100', finite)
    .option('--reward <number>', 'what it was worth', finite)
    .option('--correction <class>', 'the class that it should have been')
    .option('--correction-number <number>', 'the number that it should have been', finite)
    .option('--text <text>', 'at most 16 KiB')
    .option('--json-value <object>', 'a JSON object, at most 16 KiB')
    .option('--source <name>', 'who says so', 'cli')
    .action(async (prediction: string, flags: FeedbackFlags, self: Command) =>
      giveFeedback(run(self), prediction, flags),
    );
}
