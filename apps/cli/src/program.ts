import { Command, Option } from 'commander';
import { addBatchOptions, type BatchFlags, compileBatchOptions } from './batch/command-line.ts';
import { addBenchOptions } from './bench/command-line.ts';
import { type BenchFlags, compileOptions } from './bench/compile-options.ts';
import { captureOptions } from './capture-options.ts';
import { labelSettings } from './label-options.ts';
import { aliasHistory, cancelMove, deleteAlias, rollback, setAlias, stateAsOf } from './commands/aliases.ts';
import { showAudit, showAuditKey, verifyAudit } from './commands/audit.ts';
import { batch } from './commands/batch.ts';
import { bench } from './commands/bench.ts';
import { infer } from './commands/infer.ts';
import { listModels, listRuntimes, setModel, showModel } from './commands/models.ts';
import { push } from './commands/push.ts';
import { liftQuarantine, listQuarantines } from './commands/quarantine.ts';
import { endRelease, type PutFlags, putRelease, showRelease } from './commands/releases.ts';
import { approve, deleteVersion, listVersions, setPin, showVersion } from './commands/versions.ts';
import type { CliContext } from './context.ts';
import { addProvenanceCommands } from './provenance-commands.ts';
import { dataSetRefs } from './provenance-options.ts';
import { addLabelCommands } from './label-commands.ts';
import { list, positive, revision, whole } from './options.ts';
import { addEraseCommands } from './erase-commands.ts';
import { addExportCommand } from './export-commands.ts';
import { addPredictionCommands } from './prediction-commands.ts';
import { arm, modes, rule } from './release-options.ts';

/** Options of every command. */
export interface GlobalOptions {
  readonly registry: string;
  readonly router: string;
  readonly feedback: string;
  readonly as?: string;
  readonly json: boolean;
  readonly tlsCaFile: string;
  readonly tlsCertFile: string;
  readonly tlsKeyFile: string;
}

export interface ProgramOptions {
  readonly version: string;
  /** Values of options that are not given. */
  readonly defaults: Pick<
    GlobalOptions,
    'registry' | 'router' | 'feedback' | 'tlsCaFile' | 'tlsCertFile' | 'tlsKeyFile'
  >;
  /** What has to be done before a command runs, and takes time. */
  readonly prepare: (options: GlobalOptions) => Promise<void>;
  /** Makes what a command runs with, once its options are known. */
  readonly contextOf: (options: GlobalOptions) => CliContext;
}

const exitStatuses = `
Exit status:
  0 done   1 failed   2 wrong usage or input   3 not found   4 refused or in conflict
  5 a service is away or busy   6 done, but not every router has applied it   130 interrupted
`;

/** The whole command line. Actions run with a context of their own options. */
export function createProgram(options: ProgramOptions): Command {
  const { defaults } = options;
  const program = new Command('sluice')
    .description('Push models, decide which version answers, run inference, and check the audit log.')
    .version(options.version)
    .option('--registry <addresses>', 'registries, HOST:PORT with commas between (SLUICE_REGISTRY)', defaults.registry)
    .option('--router <addresses>', 'routers, HOST:PORT with commas between (SLUICE_ROUTER)', defaults.router)
    .option('--feedback <addresses>', 'feedback, HOST:PORT with commas between (SLUICE_FEEDBACK)', defaults.feedback)
    .option('--as <name>', 'who makes the change (SLUICE_ACTOR; default: the user of this machine)')
    .option('--json', 'print JSON and nothing else', false)
    .option(
      '--tls-ca-file <file>',
      'use TLS, and trust these authorities, in PEM (SLUICE_TLS_CA_FILE)',
      defaults.tlsCaFile,
    )
    .option(
      '--tls-cert-file <file>',
      'certificate to show to servers that want one (SLUICE_TLS_CERT_FILE)',
      defaults.tlsCertFile,
    )
    .option('--tls-key-file <file>', 'its key (SLUICE_TLS_KEY_FILE)', defaults.tlsKeyFile)
    .hook('preAction', async (_, action) => options.prepare(action.optsWithGlobals<GlobalOptions>()))
    .addHelpText('after', exitStatuses)
    .showSuggestionAfterError()
    .showHelpAfterError('(sluice help shows the commands)');
  const run = (command: Command): CliContext => options.contextOf(command.optsWithGlobals<GlobalOptions>());
  addModelCommands(program, run);
  addVersionCommands(program, run);
  addQuarantineCommands(program, run);
  addAliasCommands(program, run);
  addReleaseCommands(program, run);
  addInferenceCommands(program, run);
  addAuditCommands(program, run);
  addProvenanceCommands(program, run);
  addPredictionCommands(program, run);
  addLabelCommands(program, run);
  addExportCommand(program, run);
  addEraseCommands(program, run);
  return program;
}

type Run = (command: Command) => CliContext;

const command = (parent: Command, usage: string, description: string): Command =>
  parent.command(usage).description(description);

function addModelCommands(program: Command, run: Run): void {
  command(program, 'models', 'list the models').action(async (_: unknown, self: Command) => listModels(run(self)));
  const model = program.command('model').description('look at a model or change its settings');
  command(model, 'show <model>', "a model's settings, aliases and release").action(
    async (name: string, _: unknown, self: Command) => showModel(run(self), name),
  );
  const set = command(model, 'set <model>', "change a model's settings; each change is in the audit log")
    .option('--owner <text>', 'who answers for the model')
    .option('--description <text>', 'what it is')
    .option('--approvals <number>', 'approvals by others that moving champion needs: 0 or 1', whole(0));
  captureOptions(set)
    .option(
      '--labels <policy>',
      'which label of a row counts: latest, or trusted=SOURCE,SOURCE for the last of the first source that has one',
      labelSettings,
    )
    .option('--expected-revision <number>', 'refuse when somebody changed it since', revision)
    .action(async (name: string, changes: Parameters<typeof setModel>[2], self: Command) =>
      setModel(run(self), name, changes),
    );
  command(program, 'runtimes', 'live runtimes and routers, and what they have').action(
    async (_: unknown, self: Command) => listRuntimes(run(self)),
  );
}

function addVersionCommands(program: Command, run: Run): void {
  command(program, 'push <model> <path>', 'make a version of a folder or an *.onnx file')
    .option('--graph <path>', 'the graph inside the folder, when there are several')
    .option('--manifest <file>', 'a sluice.yaml that lies elsewhere')
    .option('--run <id>', 'the run that makes it, which is under way')
    .option('--data-set <name@n>', 'what it was trained on; once for each', dataSetRefs)
    .addHelpText(
      'after',
      '\nThe model is made by its first push. docs/sluice-yaml.md says what a sluice.yaml may hold.',
    )
    .action(async (model: string, path: string, options: Parameters<typeof push>[3], self: Command) =>
      push(run(self), model, path, options),
    );
  command(program, 'versions <model>', 'list the versions of a model')
    .option('--deleted', 'deleted ones too', false)
    .action(async (model: string, options: { deleted: boolean }, self: Command) =>
      listVersions(run(self), model, options.deleted),
    );
  command(program, 'show <model> [version]', 'everything of a version: a number or an alias (default champion)').action(
    async (model: string, version: string | undefined, _: unknown, self: Command) =>
      showVersion(run(self), model, version),
  );
  command(program, 'approve <model> <version>', 'let a version that somebody else pushed become champion')
    .option('--alias <alias>', 'the alias it may have', 'champion')
    .action(async (model: string, version: string, options: { alias: string }, self: Command) =>
      approve(run(self), model, version, options.alias),
    );
  command(
    program,
    'delete <model> <version>',
    'delete a version that nothing refers to; its number is never used again',
  ).action(async (model: string, version: string, _: unknown, self: Command) =>
    deleteVersion(run(self), model, version),
  );
  command(program, 'pin <model> <version>', 'keep a version loaded without an alias').action(
    async (model: string, version: string, _: unknown, self: Command) => setPin(run(self), model, version, true),
  );
  command(program, 'unpin <model> <version>', 'end a pin').action(
    async (model: string, version: string, _: unknown, self: Command) => setPin(run(self), model, version, false),
  );
}

function addQuarantineCommands(program: Command, run: Run): void {
  const quarantine = program.command('quarantine').description('versions that ended their runtimes too often');
  command(quarantine, 'list', 'list them, with what they did').action(async (_: unknown, self: Command) =>
    listQuarantines(run(self)),
  );
  command(quarantine, 'lift <model> <version>', 'let a version be loaded again, and forget what it did')
    .option('--pool <pool>', 'the pool whose quarantine ends; all unless told', '')
    .option('--expected-revision <number>', "the version's revision; refuse when somebody changed it since", revision)
    .action(async (model: string, version: string, options: Expectation & { pool: string }, self: Command) =>
      liftQuarantine(run(self), model, version, options),
    );
}

interface Expectation {
  readonly expectedRevision?: string;
}

interface MoveFlags extends Expectation {
  readonly wait: boolean;
  readonly timeout: number;
}

const expecting = (of: Command): Command =>
  of.option(
    '--expected-revision <number>',
    "the alias's revision; refuse when somebody changed it since (default: its revision when the command begins)",
    revision,
  );

function addAliasCommands(program: Command, run: Run): void {
  const alias = program.command('alias').description('move the names that versions answer by');
  expecting(command(alias, 'set <model> <alias> <version>', 'move an alias; returns when every live router applied it'))
    .option('--no-wait', 'return as soon as the move is requested')
    .option('--timeout <seconds>', 'how long runtimes may take to load the version', whole(1), 60)
    .action(async (model: string, name: string, version: string, flags: MoveFlags, self: Command) =>
      setAlias(run(self), model, name, version, {
        wait: flags.wait,
        timeoutSeconds: flags.timeout,
        expectedRevision: flags.expectedRevision,
      }),
    );
  expecting(command(alias, 'cancel <model> <alias>', 'give up a move that is under way')).action(
    async (model: string, name: string, flags: Expectation, self: Command) =>
      cancelMove(run(self), model, name, flags.expectedRevision),
  );
  expecting(command(alias, 'delete <model> <alias>', 'remove an alias; its history stays')).action(
    async (model: string, name: string, flags: Expectation, self: Command) =>
      deleteAlias(run(self), model, name, flags.expectedRevision),
  );
  command(alias, 'history <model> [alias]', 'where aliases pointed, and every move').action(
    async (model: string, name: string | undefined, _: unknown, self: Command) =>
      aliasHistory(run(self), model, name ?? ''),
  );
  command(program, 'asof <model> <time>', 'aliases, release and versions of a model as they were at a time').action(
    async (model: string, time: string, _: unknown, self: Command) => stateAsOf(run(self), model, time),
  );
  expecting(command(program, 'rollback <model>', 'point champion back at the version it had before'))
    .option('--no-wait', 'return as soon as it is requested')
    .action(async (model: string, flags: Expectation & { wait: boolean }, self: Command) =>
      rollback(run(self), model, flags),
    );
}

const putHelp = `
An arm is NAME=VERSION:WEIGHT[:ROLE]; VERSION is a number or an alias (the version that it points to now), ROLE primary, candidate
or shadow. Without a ROLE the first is the primary and the others are candidates. Weights are shares of their sum; a shadow
has 0 and gets a copy of every request. A rule KEY=VALUE:ARM sends requests with this metadata to one arm.
The release rules at once, where requests that name no version go; moving champion does not move it. With --capture,
--retention, --durability or --redact it has a capture policy of its own, else that of the model. Of a release that a person
made, its rules, mode, seed and own capture policy stay unless they are given; --rule replaces all rules.`;

function addReleaseCommands(program: Command, run: Run): void {
  const release = program.command('release').description("split a model's traffic between versions");
  const expected = [
    '--expected-revision <number>',
    "the release's revision; refuse when somebody changed it since",
  ] as const;
  captureOptions(
    command(release, 'put <model>', 'say how traffic is split, until it is ended')
      .option('--arm <arm>', 'NAME=VERSION:WEIGHT[:ROLE]; once for each', arm)
      .option('--rule <rule>', 'KEY=VALUE:ARM: metadata that decides before weights do; once for each', rule)
      .option('--no-rules', 'drop the rules that there are')
      .addOption(
        new Option(
          '--mode <mode>',
          'default: as it is where the arms allow, else fixed for one arm, shadow for shadows alone, ab',
        ).choices(modes),
      )
      .option('--seed <id>', 'names the hash by which callers are assigned to arms (default: as it is)')
      .option('--no-own-capture', "go back to the model's capture policy"),
  )
    .option(...expected, revision)
    .addHelpText('after', putHelp)
    .action(async (model: string, flags: PutFlags, self: Command) => putRelease(run(self), model, flags));
  command(release, 'show <model>', 'the release that rules, and which evidence it keeps').action(
    async (model: string, _: unknown, self: Command) => showRelease(run(self), model),
  );
  command(release, 'end <model>', 'go back to what champion and pins say')
    .option(...expected, revision)
    .action(async (model: string, flags: Expectation, self: Command) => endRelease(run(self), model, flags));
}

interface InferFlags {
  readonly modelVersion: string;
  readonly inputFormat?: string;
  readonly header: boolean;
  readonly labelColumn?: string;
  readonly output: 'table' | 'csv' | 'json';
  readonly outputs: readonly string[];
  readonly rows: number;
  readonly inFlight: number;
  readonly limit?: number;
  readonly timeout: number;
}

const inferHelp = `
FILE is CSV with a heading, or JSON: a list of objects (by feature name) or of lists (by order), or one object of
whole tensors by input name, batch first. Without FILE, or with -, standard input is read.
Every row of the result carries prediction_id and row: labels are sent under them later.`;

function addInferenceCommands(program: Command, run: Run): void {
  command(program, 'infer <model> [file]', 'run rows of a file through a model')
    .option('--model-version <version>', 'a number or an alias (default: what the release says)', '')
    .option('--input-format <format>', 'csv or json (default: by the name of the file, else csv)')
    .option('--no-header', 'the CSV begins with data: columns by order')
    .option('--label-column <name>', 'the column with the truth: not sent, compared with the predictions')
    .addOption(new Option('--output <format>', 'of the result').choices(['table', 'csv', 'json']).default('table'))
    .option('--outputs <names>', 'outputs that are wanted, with commas between (default: all)', list, [])
    .option('--rows <number>', 'rows of one request (default: as the model batches, up to 32)', whole(1), 0)
    .option('--in-flight <number>', 'requests at once', whole(1), 4)
    .option('--limit <number>', 'only the first rows of the file', whole(1))
    .option('--timeout <seconds>', 'longest wait for one request', positive, 30)
    .addHelpText('after', inferHelp)
    .action(async (model: string, file: string | undefined, flags: InferFlags, self: Command) =>
      infer(run(self), model, file, {
        version: flags.modelVersion,
        inputFormat: flags.inputFormat,
        header: flags.header,
        labelColumn: flags.labelColumn,
        output: flags.output,
        outputs: flags.outputs,
        rowsPerRequest: flags.rows,
        inFlight: flags.inFlight,
        limit: flags.limit ?? Infinity,
        timeoutSeconds: flags.timeout,
      }),
    );
  addBatchOptions(command(program, 'batch <model> <input>', 'score a file of any size, with what others leave')).action(
    async (model: string, input: string, flags: BatchFlags, self: Command) =>
      batch(run(self), model, input, compileBatchOptions(flags)),
  );
  addBenchOptions(command(program, 'bench [model]', 'measure throughput and latency, as perf_analyzer does')).action(
    async (model: string | undefined, flags: BenchFlags, self: Command) =>
      bench(run(self), compileOptions(model, flags, self.optsWithGlobals<GlobalOptions>().router)),
  );
}

function addAuditCommands(program: Command, run: Run): void {
  const audit = program.command('audit').description('the tamper-evident log of every change');
  command(audit, 'verify', 'read every entry again and compare with the hashes and checkpoints').action(
    async (_: unknown, self: Command) => verifyAudit(run(self)),
  );
  command(audit, 'show [object]', 'the newest entries, of an object such as model/digits and those below it')
    .option('--limit <number>', 'how many', whole(1), 50)
    .option('--full', 'with hash and canonical JSON', false)
    .action(async (object: string | undefined, flags: { limit: number; full: boolean }, self: Command) =>
      showAudit(run(self), { object: object ?? '', ...flags }),
    );
  command(audit, 'key', 'the public key that checkpoints are signed with').action(async (_: unknown, self: Command) =>
    showAuditKey(run(self)),
  );
}
