import { parseAddresses } from '@sluice/client/addresses';
import { createFeedbackClient, defaultFeedbackPort, type FeedbackClient } from '@sluice/client/feedback-client';
import { createOipClient, defaultRouterPort, type OipClient } from '@sluice/client/oip-client';
import { createRegistryClient, defaultRegistryPort, type RegistryClient } from '@sluice/client/registry-client';
import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { openTls, type Tls } from '@sluice/service-kit/tls/open-tls';
import { CommanderError } from 'commander';
import type { CliContext, Terminal } from './context.ts';
import { CliError, exitCodes, type ExitCode } from './exit-codes.ts';
import { type Addresses, explain } from './explain.ts';
import { printable } from './format.ts';
import { createProgram, type GlobalOptions } from './program.ts';

export interface CliRun {
  /** Without the program's own name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** The user of this machine. */
  readonly user: string;
  readonly version: string;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
}

/** How long a command goes on while a service is away, in milliseconds. */
const retryForMs = 3_000;

/** Runs one command and gives its exit status; what it has to say it has said. */
export async function runCli(run: CliRun): Promise<ExitCode> {
  const session = new Session(run);
  const program = createProgram({
    version: run.version,
    defaults: {
      registry: run.env['SLUICE_REGISTRY'] || `127.0.0.1:${defaultRegistryPort}`,
      router: run.env['SLUICE_ROUTER'] || `127.0.0.1:${defaultRouterPort}`,
      feedback: run.env['SLUICE_FEEDBACK'] || `127.0.0.1:${defaultFeedbackPort}`,
      tlsCaFile: run.env['SLUICE_TLS_CA_FILE'] ?? '',
      tlsCertFile: run.env['SLUICE_TLS_CERT_FILE'] ?? '',
      tlsKeyFile: run.env['SLUICE_TLS_KEY_FILE'] ?? '',
    },
    prepare: (options) => session.prepare(options),
    contextOf: (options) => session.open(options),
  });
  for (const command of [program, ...descendants(program)]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => run.terminal.out(text.trimEnd()),
      writeErr: (text) => run.terminal.note(text.trimEnd()),
    });
  }
  try {
    await program.parseAsync(run.args, { from: 'user' });
    return exitCodes.ok;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    return session.fail(thrown);
  } finally {
    session.close();
  }
}

type Program = ReturnType<typeof createProgram>;
const descendants = (command: Program): Program[] =>
  command.commands.flatMap((child) => [child, ...descendants(child)]);

/** The clients of one command. */
class Session {
  readonly #run: CliRun;
  #addresses: Addresses = { registry: [], router: [], feedback: [] };
  #registry: RegistryClient | undefined;
  #inference: OipClient | undefined;
  #inferOnce: OipClient | undefined;
  #feedback: FeedbackClient | undefined;
  #tls: Tls | undefined;

  constructor(run: CliRun) {
    this.#run = run;
  }

  /** @throws CliError for files that are not right */
  async prepare({ tlsCaFile, tlsCertFile, tlsKeyFile }: GlobalOptions): Promise<void> {
    if (tlsCaFile === '' && tlsCertFile !== '')
      throw new CliError(exitCodes.usage, '--tls-cert-file needs --tls-ca-file too');
    const files = { tlsCaFile, tlsCertFile, tlsKeyFile, tlsClientCaFile: '' };
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
    try {
      this.#tls = await openTls(files, { clock: this.#run.clock, logger: silent });
    } catch (error) {
      throw new CliError(exitCodes.usage, SluiceError.from(error).message);
    }
  }

  open(options: GlobalOptions): CliContext {
    const { clock, env, user, signal, terminal } = this.#run;
    this.#addresses = {
      registry: parseAddresses(options.registry, defaultRegistryPort),
      router: parseAddresses(options.router, defaultRouterPort),
      feedback: parseAddresses(options.feedback, defaultFeedbackPort),
    };
    const actor = options.as ?? (env['SLUICE_ACTOR'] || user);
    const calls = { clock, retryForMs, tls: this.#tls?.client };
    const registry = () => (this.#registry ??= createRegistryClient(options.registry, { actor, ...calls }));
    const feedback = () => (this.#feedback ??= createFeedbackClient(options.feedback, { actor, ...calls }));
    const inference = () => (this.#inference ??= createOipClient(options.router, calls));
    const inferOnce = () =>
      (this.#inferOnce ??= createOipClient(options.router, { ...calls, retryForMs: 0, transport: 'wire' }));
    return {
      terminal,
      clock,
      signal,
      json: options.json,
      tls: this.#tls?.client,
      services: {
        get registry() {
          return registry().registry;
        },
        get audit() {
          return registry().audit;
        },
        get dataSets() {
          return registry().dataSets;
        },
        get runs() {
          return registry().runs;
        },
        get lineage() {
          return registry().lineage;
        },
        upload: (...args) => registry().upload(...args),
        get predictions() {
          return feedback().predictions;
        },
        get labels() {
          return feedback().labels;
        },
        get exports() {
          return feedback().exports;
        },
        get privacy() {
          return feedback().privacy;
        },
        get inference() {
          return inference();
        },
        get inferOnce() {
          return inferOnce();
        },
      },
    };
  }

  fail(thrown: unknown): ExitCode {
    const { code, message, hint } = this.#run.signal.aborted
      ? { code: exitCodes.interrupted, message: 'interrupted', hint: '' }
      : explain(thrown, this.#addresses);
    const { terminal } = this.#run;
    terminal.note(`sluice: ${printable(message)}`);
    if (hint !== '') terminal.note(`  ${hint}`);
    return code;
  }

  close(): void {
    this.#registry?.close();
    this.#inference?.close();
    this.#inferOnce?.close();
    this.#feedback?.close();
    this.#tls?.close();
  }
}
