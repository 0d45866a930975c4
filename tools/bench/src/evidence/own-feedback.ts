import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import pg from 'pg';
import { pause } from '../platform.ts';

/** Where a platform keeps its database, and who owns that. */
export interface DatabasePlace {
  /** The platform's. */
  readonly home: string;
  readonly postgresPort: number;
}

/** A URL of the owner for a database of a platform. */
export function ownerUrl({ home, postgresPort }: DatabasePlace, database: string): string {
  return urlOf('sluice', secretsOf(home).ownerPassword, postgresPort, database);
}

export interface OwnFeedbackOptions extends DatabasePlace {
  /** The repository. */
  readonly root: string;
  /** For its log and its other files. */
  readonly folder: string;
  readonly portOffset: number;
  readonly registryAddress: string;
}

const database = 'sluice_bench';
/** Between those of the platform. */
const firstPort = 8181;
const startMs = 60_000;

/** A feedback with a database of its own in the Postgres of a platform: rows that fill tables leave the platform's alone. */
export class OwnFeedback {
  readonly address: string;
  /** Of its tables' owner. */
  readonly client: pg.Client;
  readonly #options: OwnFeedbackOptions;
  readonly #child: ChildProcess;

  /** Makes the database anew, and starts the process. @throws Error when it does not serve within a minute */
  static async start(options: OwnFeedbackOptions): Promise<OwnFeedback> {
    await asOwner(options, [`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`, `CREATE DATABASE ${database}`]);
    const env = environment(options);
    await promisify(execFile)(process.execPath, argvOf(options, 'migrate'), { env });
    const log = openSync(path.join(options.folder, 'feedback.log'), 'a');
    const child = spawn(process.execPath, argvOf(options, 'main'), { env, stdio: ['ignore', log, log, 'ipc'] });
    const client = new pg.Client({ connectionString: ownerUrl(options, database) });
    // A database that is stopped under it is told by the next query.
    client.on('error', () => undefined);
    const feedback = new OwnFeedback(options, child, client);
    try {
      await client.connect();
      await serves(child, options.portOffset + firstPort);
      return feedback;
    } catch (error) {
      await feedback.stop();
      throw error;
    }
  }

  constructor(options: OwnFeedbackOptions, child: ChildProcess, client: pg.Client) {
    this.#options = options;
    this.#child = child;
    this.client = client;
    this.address = `127.0.0.1:${options.portOffset + firstPort}`;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Ends it and drops its database. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGKILL');
      await ended;
    }
    await this.client.end();
    await asOwner(this.#options, [`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`]);
  }
}

const argvOf = ({ root }: OwnFeedbackOptions, entry: 'main' | 'migrate'): string[] => [
  '--conditions=@sluice/source',
  path.join(root, 'apps', 'feedback', 'src', `${entry}.ts`),
];

function environment(options: OwnFeedbackOptions): Record<string, string> {
  const { home, postgresPort, folder, portOffset, registryAddress } = options;
  const artifacts = path.join(folder, 'feedback-artifacts');
  mkdirSync(artifacts, { recursive: true });
  const keyFile = path.join(folder, 'feedback-key.hex');
  writeFileSync(keyFile, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  const port = (number: number): string => String(portOffset + firstPort + number);
  return {
    ...{ SLUICE_PORT: port(0), SLUICE_METRICS_PORT: port(1), SLUICE_ADMIN_PORT: port(2) },
    SLUICE_DATABASE_URL: urlOf('sluice_feedback', secretsOf(home).feedbackPassword, postgresPort, database),
    SLUICE_OWNER_DATABASE_URL: ownerUrl(options, database),
    SLUICE_REGISTRY: registryAddress,
    // Of payloads that are encrypted, and of erasures: its own, as its database is.
    ...{ SLUICE_FEEDBACK_KEY_FILE: keyFile, SLUICE_ARTIFACT_DIR: artifacts },
  };
}

const urlOf = (user: string, password: string, port: number, name: string): string =>
  `postgres://${user}:${password}@127.0.0.1:${port}/${name}`;

const secretsOf = (home: string): { readonly ownerPassword: string; readonly feedbackPassword: string } =>
  JSON.parse(readFileSync(path.join(home, 'secrets', 'postgres.json'), 'utf8')) as ReturnType<typeof secretsOf>;

/** Forgets the evidence of a platform of the bench: it would grow with every run. */
export async function forgetEvidence(place: DatabasePlace): Promise<void> {
  await asOwner(place, ['TRUNCATE feedback.evidence'], 'sluice');
}

async function asOwner(place: DatabasePlace, statements: readonly string[], name = 'postgres'): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl(place, name) });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

async function serves(child: ChildProcess, port: number): Promise<void> {
  const end = performance.now() + startMs;
  while (performance.now() < end) {
    if (child.exitCode !== null) throw new Error('the feedback of the bench ended: feedback.log has why');
    if (await listens(port)) return;
    await pause(100);
  }
  throw new Error(`the feedback of the bench does not serve after ${startMs / 1000} s: feedback.log has why`);
}

async function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
