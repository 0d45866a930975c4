import type { Clock, Timer } from '@sluice/domain/clock';
import { failedPrecondition } from '@sluice/domain/errors';
import { variableName } from '../arguments.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../logger.ts';
import { certificatesOf, keyOf, readPem } from './pem.ts';
import type { NamedFile } from './pem.ts';
import type { TlsFields } from './tls-fields.ts';
import { TlsSource } from './tls-source.ts';
import type { TlsMaterial } from './tls-source.ts';

/** Paths; empty where there is none. */
export type TlsFiles = Config<TlsFields>;

export interface OpenTlsOptions {
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** What a process secures its connections with. */
export interface Tls {
  /** Of its ports; undefined: they are plain. */
  readonly server: TlsSource | undefined;
  /** Of its calls to others; undefined: they are plain. */
  readonly client: TlsSource | undefined;
  /** Ends looking for changes. */
  close(): void;
}

/** How often files are read for changes, in milliseconds. */
const readEveryMs = 10_000;
const dayMs = 24 * 3_600_000;
/** A certificate that has less time left is worth a warning, each day. */
const warnDays = 14;

const settings = ['tlsCertFile', 'tlsKeyFile', 'tlsClientCaFile', 'tlsCaFile'] as const satisfies (keyof TlsFiles)[];
type Setting = (typeof settings)[number];
type Texts = Readonly<Partial<Record<Setting, Buffer>>>;

/**
 * Reads the files of the settings, and from then on every ten seconds: what is new in them holds for new connections. Files that are not right leave
 * everything as it was, and the log says so.
 *
 * @throws SluiceError failed-precondition that names the setting
 */
export async function openTls(files: TlsFiles, options: OpenTlsOptions): Promise<Tls> {
  const opened = new OpenTls(files, options);
  await opened.start();
  return opened;
}

class OpenTls implements Tls {
  server: TlsSource | undefined;
  client: TlsSource | undefined;
  /** When its own certificate is out of date, in milliseconds since the epoch; undefined where it has none. */
  #notAfterMs: number | undefined;
  readonly #files: TlsFiles;
  readonly #options: OpenTlsOptions;
  #texts: Texts = {};
  /** What was wrong when files were read last. */
  #problem: string | undefined;
  #warnedMs = -Infinity;
  #timer: Timer | undefined;
  #closed = false;

  constructor(files: TlsFiles, options: OpenTlsOptions) {
    this.#files = files;
    this.#options = options;
  }

  async start(): Promise<void> {
    const { tlsCertFile, tlsKeyFile, tlsClientCaFile, tlsCaFile } = this.#files;
    requires('tlsKeyFile', tlsKeyFile, 'tlsCertFile', tlsCertFile);
    requires('tlsCertFile', tlsCertFile, 'tlsKeyFile', tlsKeyFile);
    requires('tlsClientCaFile', tlsClientCaFile, 'tlsCertFile', tlsCertFile);
    if (tlsCertFile === '' && tlsCaFile === '') return;
    this.#texts = await this.#read();
    const { server, client } = this.#checked(this.#texts);
    if (tlsCertFile !== '') this.server = new TlsSource(server);
    if (tlsCaFile !== '') this.client = new TlsSource(client);
    this.#warnIfDue();
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    if (!this.#closed) this.#timer = this.#options.clock.schedule(readEveryMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { logger } = this.#options;
    try {
      const texts = await this.#read();
      if (!isSame(texts, this.#texts)) {
        const { server, client } = this.#checked(texts);
        this.#texts = texts;
        this.server?.change(server);
        this.client?.change(client);
        logger.info(
          { notAfter: dateOf(this.#notAfterMs) },
          'TLS files have changed: new connections have the new ones',
        );
      }
      this.#problem = undefined;
    } catch (error) {
      // Two files that are replaced one after the other are wrong for a moment; what stays wrong is said once.
      const { message } = error as Error;
      if (message !== this.#problem)
        logger.error({ err: error }, 'TLS files have changed and are not right; the old ones hold');
      this.#problem = message;
    }
    this.#warnIfDue();
    this.#schedule();
  }

  async #read(): Promise<Texts> {
    const texts: Partial<Record<Setting, Buffer>> = {};
    for (const setting of settings)
      if (this.#files[setting] !== '') texts[setting] = await readPem(this.#named(setting));
    return texts;
  }

  /** @throws SluiceError failed-precondition */
  #checked({ tlsCertFile: cert, tlsKeyFile: key, tlsClientCaFile: clientCa, tlsCaFile: ca }: Texts) {
    let notAfterMs: number | undefined;
    if (cert !== undefined && key !== undefined) {
      const [own] = certificatesOf(this.#named('tlsCertFile'), cert);
      if (!own.checkPrivateKey(keyOf(this.#named('tlsKeyFile'), key)))
        throw failedPrecondition(
          `${variableName('tlsKeyFile')}: ${this.#files.tlsKeyFile} is not the key of the certificate in ${this.#files.tlsCertFile}`,
        );
      notAfterMs = Date.parse(own.validTo);
    }
    if (clientCa !== undefined) certificatesOf(this.#named('tlsClientCaFile'), clientCa);
    if (ca !== undefined) certificatesOf(this.#named('tlsCaFile'), ca);
    this.#notAfterMs = notAfterMs;
    const identity: TlsMaterial = { cert, key };
    return { server: { ...identity, ca: clientCa }, client: { ...identity, ca } };
  }

  /** Says once a day that the certificate is, or is soon, out of date. */
  #warnIfDue(): void {
    const { clock, logger } = this.#options;
    if (this.#notAfterMs === undefined || clock.monotonic() - this.#warnedMs < dayMs) return;
    const days = (this.#notAfterMs - clock.now()) / dayMs;
    if (days >= warnDays) return;
    this.#warnedMs = clock.monotonic();
    const line = { file: this.#files.tlsCertFile, notAfter: dateOf(this.#notAfterMs) };
    if (days > 0) logger.warn(line, `the TLS certificate is out of date in ${Math.floor(days)} days`);
    else logger.error(line, 'the TLS certificate is out of date: callers refuse it');
  }

  #named(setting: Setting): NamedFile {
    return { setting: variableName(setting), path: this.#files[setting] };
  }
}

function requires(setting: Setting, value: string, other: Setting, otherValue: string): void {
  if (value !== '' && otherValue === '')
    throw failedPrecondition(`${variableName(setting)} needs ${variableName(other)} too`);
}

function isSame(one: Texts, other: Texts): boolean {
  return settings.every((setting) => one[setting]?.equals(other[setting]!) ?? true);
}

const dateOf = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString();
