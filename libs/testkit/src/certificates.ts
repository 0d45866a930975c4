// Before x509, whose parts are registered by what it adds to Reflect.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { X509Certificate } from '@peculiar/x509';

/** A certificate and its key, as PEM. */
export interface Identity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface IdentityOptions {
  /** Names and addresses that it is for; default localhost and this machine's loopback addresses. */
  readonly hosts?: readonly string[];
  /** Days from now on until it is out of date; a negative number: it has been for so long. Default 30. */
  readonly days?: number;
  /** Default `ecdsa`, on P-256. */
  readonly key?: 'ecdsa' | 'rsa';
}

const dayMs = 24 * 3_600_000;
const algorithms = {
  ecdsa: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  rsa: {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: 'SHA-256',
  },
} as const;

/** An authority that signs certificates for tests. */
export class CertificateAuthority {
  readonly #name: string;
  readonly #keys: webcrypto.CryptoKeyPair;
  /** Of the authority itself, as PEM. */
  readonly cert: Buffer;
  #signed = 1;

  private constructor(name: string, keys: webcrypto.CryptoKeyPair, certificate: X509Certificate) {
    this.#name = name;
    this.#keys = keys;
    this.cert = Buffer.from(`${certificate.toString('pem')}\n`);
  }

  static async create(name = 'test authority'): Promise<CertificateAuthority> {
    const keys = await generateKeys('ecdsa');
    const certificate = await X509CertificateGenerator.createSelfSigned(
      {
        ...{ name: `CN=${name}`, keys, serialNumber: '01', signingAlgorithm: algorithms.ecdsa },
        ...validity(30),
        extensions: [new BasicConstraintsExtension(true, undefined, true), keyUsages(KeyUsageFlags.keyCertSign)],
      },
      webcrypto,
    );
    return new CertificateAuthority(name, keys, certificate);
  }

  /** Signs a certificate with a new key. @param name who has it */
  async sign(name: string, options: IdentityOptions = {}): Promise<Identity> {
    const { hosts = ['localhost', '127.0.0.1', '::1'], days = 30, key = 'ecdsa' } = options;
    const keys = await generateKeys(key);
    const certificate = await X509CertificateGenerator.create(
      {
        serialNumber: (++this.#signed).toString(16).padStart(4, '0'),
        ...{ subject: `CN=${name}`, issuer: `CN=${this.#name}`, publicKey: keys.publicKey },
        ...{ signingKey: this.#keys.privateKey, signingAlgorithm: algorithms.ecdsa },
        ...validity(days),
        extensions: [
          new SubjectAlternativeNameExtension(hosts.map((value) => ({ type: isAddress(value) ? 'ip' : 'dns', value }))),
          keyUsages(KeyUsageFlags.digitalSignature),
        ],
      },
      webcrypto,
    );
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
    return { cert: Buffer.from(`${certificate.toString('pem')}\n`), key: Buffer.from(pem('PRIVATE KEY', pkcs8)) };
  }
}

async function generateKeys(kind: keyof typeof algorithms): Promise<webcrypto.CryptoKeyPair> {
  return await webcrypto.subtle.generateKey(algorithms[kind], true, ['sign', 'verify']);
}

/** From a year ago, so that the clocks of tests are of no matter. */
function validity(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - 365 * dayMs), notAfter: new Date(now + days * dayMs) };
}

const keyUsages = (usages: KeyUsageFlags): KeyUsagesExtension => new KeyUsagesExtension(usages, true);
const isAddress = (host: string): boolean => /^[\d.]+$|:/.test(host);

const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()}\n-----END ${label}-----\n`;
