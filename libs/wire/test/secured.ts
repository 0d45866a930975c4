import { CertificateAuthority } from '@sluice/testkit/certificates';
import type { TlsMaterial, TlsSource } from '../src/tls.ts';

/** What tests change under those who use it. */
export class ChangingTls implements TlsSource {
  current: TlsMaterial;
  readonly #listeners = new Set<() => void>();

  constructor(current: TlsMaterial) {
    this.current = current;
  }

  /** Of those who want to hear of changes. */
  get followers(): number {
    return this.#listeners.size;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  change(current: TlsMaterial): void {
    this.current = current;
    for (const listener of this.#listeners) listener();
  }
}

/** An authority that all tests of a file trust, a server of it, and a client of it. */
export const authority = await CertificateAuthority.create();
const server = await authority.sign('server');
const client = await authority.sign('client');
/** Servers and clients that know nothing but each other. */
export const serverTls = (): ChangingTls => new ChangingTls(server);
export const mutualServerTls = (): ChangingTls => new ChangingTls({ ...server, ca: authority.cert });
export const clientTls = (): ChangingTls => new ChangingTls({ ca: authority.cert });
export const mutualClientTls = (): ChangingTls => new ChangingTls({ ...client, ca: authority.cert });
