import path from 'node:path';
import type { Clock } from '@sluice/domain/clock';
import { SluiceError, failedPrecondition, unavailable } from '@sluice/domain/errors';
import { startChild } from './child.ts';
import { openCompileCache } from './compile-cache.ts';
import type { CompileCache } from './compile-cache.ts';
import type { PlatformConfig } from './config.ts';
import { clearLeftoverPostgres, databaseAddresses, ensureDatabase, openCluster, readPostgresLine } from './database.ts';
import type { Cluster } from './database.ts';
import { Keeper } from './keeper.ts';
import type { Layout, Program } from './layout.ts';
import { clearLeftovers, identify, saveProcesses } from './leftovers.ts';
import type { ProcessList } from './leftovers.ts';
import type { MergedLog } from './merged-log.ts';
import { portTable, takenPorts } from './ports.ts';
import type { PortTable } from './ports.ts';
import { openSecrets } from './secrets.ts';
import type { Secrets } from './secrets.ts';
import { feedbackSettings, lastEnd, registrySettings, serviceDefinitions } from './services.ts';
import type { ServiceDefinition, ServiceInputs } from './services.ts';

export interface PlatformOptions {
  readonly config: PlatformConfig;
  /** Absolute folder of data, logs and secrets; it is there. */
  readonly home: string;
  readonly layout: Layout;
  readonly clock: Clock;
  readonly log: MergedLog;
  /** Node and the environment that processes get beside their own settings. */
  readonly node: string;
  readonly env: Readonly<Record<string, string>>;
}

const isCalled = ({ program }: ServiceDefinition): boolean => program === 'registry' || program === 'feedback';

/** Children of a killed platform drain before they end. */
const leftoverMs = 4000;
/** After its drain budget a service gets this long to close before it is killed. */
const closeMs = 3000;

/** Postgres and all services on one machine, each a process of its own that is started again when it dies. */
export class Platform {
  readonly ports: PortTable;
  readonly #options: PlatformOptions;
  readonly #compileCache: CompileCache;
  readonly #keepers: Keeper[] = [];
  readonly #children = new Map<string, ProcessList['children'][number]>();
  #saving: Promise<void> = Promise.resolve();
  #cluster: Cluster | undefined;
  /** Ends what `start` has under way and no keeper keeps; `#steps` are those. */
  readonly #ending = new AbortController();
  readonly #steps: Promise<unknown>[] = [];

  constructor(options: PlatformOptions) {
    this.#options = options;
    this.#compileCache = openCompileCache(options);
    this.ports = portTable(options.config.portOffset, options.config.runtimes);
  }

  /** Where Postgres keeps its data; undefined before `start` has got there. */
  get databaseFolder(): string | undefined {
    return this.#cluster?.dataDir;
  }

  /** Brings everything up in order; resolves when all of it serves. Throws what stood in the way: call `stop` then. */
  async start(): Promise<void> {
    const { clock, config, home } = this.#options;
    await clearLeftovers(home, clock, leftoverMs);
    await clearLeftoverPostgres(home);
    await this.#checkPorts();
    await this.#save();
    const compiled = this.#step(this.#compileCache.fill(this.#ending.signal));
    const secrets = await openSecrets(path.join(home, 'secrets'));
    const cluster = await this.#step(this.#openCluster(secrets));
    this.#cluster = cluster;
    await this.#keep('postgres', async () => cluster.start()).firstReady;
    await ensureDatabase(this.ports.postgres, secrets);
    const database = databaseAddresses(this.ports.postgres, secrets);
    const inputs: ServiceInputs = { config, home, ports: this.ports, database, secrets };
    await this.#step(this.#migrateAll(inputs));
    await compiled;
    // First what the others call: each would say in the log that it cannot reach it.
    const definitions = serviceDefinitions(inputs);
    const [first, others] = [definitions.filter(isCalled), definitions.filter((each) => !isCalled(each))];
    for (const group of [first, others])
      await Promise.all(group.map(async (definition) => this.#keepService(definition).firstReady));
  }

  /** Stops everything in the reverse order, each within its drain budget; what was not started is not started any more. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await Promise.allSettled(this.#steps);
    const { drainMs } = this.#options.config;
    for (const keeper of this.#keepers.toReversed()) {
      const graceMs = keeper.name === 'postgres' ? drainMs + closeMs : drainMs + 2 * closeMs;
      await keeper.stop(graceMs);
    }
    await this.#saving;
  }

  async #step<T>(work: Promise<T>): Promise<T> {
    this.#steps.push(work);
    return work;
  }

  async #openCluster(secrets: Secrets): Promise<Cluster> {
    const { home, log } = this.#options;
    return openCluster({
      home,
      port: this.ports.postgres,
      secrets,
      onLog: (line) => {
        const { severity, msg } = readPostgresLine(line);
        log.say('postgres', severity, msg);
      },
      onInit: () => log.say('platform', 'info', 'making a database (once)'),
      signal: this.#ending.signal,
    });
  }

  async #checkPorts(): Promise<void> {
    const taken = await takenPorts(this.ports);
    const [first, ...others] = taken;
    if (first === undefined) return;
    const more = others.length === 0 ? '' : ` (and ${others.map(([port]) => port).join(', ')})`;
    throw failedPrecondition(
      `port ${first[0]} ${first[1]} is taken by another program${more}: stop that one, or start Sluice beside it with \`npm start -- --port-offset ${this.#options.config.portOffset + 1000} --home .sluice-2\``,
    );
  }

  async #migrateAll(inputs: ServiceInputs): Promise<void> {
    await Promise.all([
      this.#migrate('registry', registrySettings(inputs), inputs),
      this.#migrate('feedback', feedbackSettings(inputs), inputs),
    ]);
    this.#options.log.say('platform', 'info', 'database is up to date');
  }

  async #migrate(program: Program, own: Readonly<Record<string, string>>, { database }: ServiceInputs): Promise<void> {
    const settings = { ...own, SLUICE_OWNER_DATABASE_URL: database.ownerUrl };
    const args = this.#options.layout.entry(program, 'migrate');
    const { signal } = this.#ending;
    if (signal.aborted) throw new SluiceError('cancelled', 'the platform was stopped');
    const name = `migrate-${program}`;
    const life = this.#spawn(name, args, settings);
    signal.addEventListener('abort', () => void life.stop(closeMs));
    const how = await life.ended;
    this.#forget(name);
    if (how !== 'status 0') throw unavailable(`the ${program}'s migration ended with ${how}; its lines above say why`);
  }

  #keepService(definition: ServiceDefinition): Keeper {
    const { layout } = this.#options;
    const { name, program, settings } = definition;
    const args = layout.entry(program, 'main');
    return this.#keep(name, async (last) => this.#spawn(name, args, { ...settings, ...lastEnd(program, last) }));
  }

  #keep(name: string, start: ConstructorParameters<typeof Keeper>[0]['start']): Keeper {
    const { clock, log } = this.#options;
    const keeper = new Keeper({ name, clock, start, say: (severity, text) => log.say('platform', severity, text) });
    if (this.#ending.signal.aborted) return keeper;
    this.#keepers.push(keeper);
    keeper.start();
    return keeper;
  }

  #spawn(name: string, args: readonly string[], settings: Readonly<Record<string, string>>) {
    const { clock, env, log, node } = this.#options;
    return startChild({
      command: node,
      args,
      env: { ...env, ...this.#compileCache.env, ...settings, SLUICE_SUPERVISED: '1' },
      clock,
      onLine: (line, stream) => log.line(name, line, stream === 'err' ? 'error' : 'info'),
      onPid: (pid) => {
        const known = identify(pid, args.at(-1)!);
        if (known !== undefined) this.#children.set(name, { name, ...known });
        void this.#save();
      },
    });
  }

  #forget(name: string): void {
    this.#children.delete(name);
    void this.#save();
  }

  async #save(): Promise<void> {
    const list: ProcessList = {
      supervisor: identify(process.pid, process.argv[1]!)!,
      children: [...this.#children.values()],
    };
    this.#saving = this.#saving
      .then(async () => saveProcesses(this.#options.home, list))
      .catch((error: unknown) => {
        this.#options.log.say('platform', 'warn', `cannot note which processes run: ${String(error)}`);
      });
    await this.#saving;
  }
}
