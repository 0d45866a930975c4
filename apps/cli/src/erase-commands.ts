import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { eraseSubject, forgetSpool, listErasures, listSpools, showErasure } from './commands/erase.ts';
import type { EraseFlags } from './commands/erase.ts';
import type { CliContext } from './context.ts';
import { positive, whole } from './options.ts';

type Run = (command: Command) => CliContext;

const eraseHelp = `
Destroys the key that payloads of the subject are encrypted under. It is answered when the key is gone, the order is in the outbox of
the audit log, and beside the database in the artifact store; then the command waits until routers have nothing from before it in
their spools. Exit status 6: the key is gone, and something is still pending. A subject that is called as a command below, such as list,
is named after \`subject\`.`;

const reason = ['--reason <text>', 'for the audit log; it must not name the subject'] as const;

/** Orders to erase what is kept of a person. */
export function addEraseCommands(program: Command, run: Run): void {
  const erase = program
    .command('erase')
    .description('erase the payloads of a subject')
    .usage('[options] <subject>')
    .addHelpText('after', eraseHelp);
  erasing(erase.command('subject <subject>', { isDefault: true }).description('destroy its key'), run);
  erase
    .command('list')
    .description('list orders, newest first')
    .option('--pending', 'only those that are not done')
    .option('--limit <number>', 'how many at most', whole(1), 50)
    .action(async (flags: Parameters<typeof listErasures>[1], self: Command) => listErasures(run(self), flags));
  erase
    .command('show <erasure>')
    .description('one order, with what it waits for')
    .action(async (id: string, _: unknown, self: Command) => showErasure(run(self), id));
  erase
    .command('spools')
    .description('spools of routers that feedback has heard of')
    .option('--limit <number>', 'how many at most', whole(1), 1000)
    .action(async (flags: { limit: number }, self: Command) => listSpools(run(self), flags));
  erase
    .command('forget <spool>')
    .description('let no order wait for a spool whose disk is gone')
    .requiredOption(...reason)
    .action(async (id: string, flags: { reason: string }, self: Command) => forgetSpool(run(self), id, flags.reason));
}

function erasing(command: Command, run: Run): void {
  command
    .requiredOption(...reason)
    .option('--request-id <id>', 'makes it safe to repeat (default: a new one)')
    .option(
      '--destroy-unreadable',
      'destroy dead letters that nobody can read too, whosever payloads are in them',
      false,
    )
    .option('--no-wait', 'return as soon as the key is destroyed')
    .option('--timeout <seconds>', 'longest wait', positive, 600)
    .action(async (subject: string, flags: Omit<EraseFlags, 'requestId'> & { requestId?: string }, self: Command) =>
      eraseSubject(run(self), subject, { ...flags, requestId: flags.requestId ?? randomUUID() }),
    );
}
