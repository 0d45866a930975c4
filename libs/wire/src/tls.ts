import { constants } from 'node:crypto';
import { isIP } from 'node:net';
import { ConnectionLost } from './errors.ts';
import type { ConnectionOptions, SecureContextOptions, TLSSocket } from 'node:tls';

/** What one side of TLS connections shows and trusts, each as PEM. */
export interface TlsMaterial {
  /** A certificate, with those of its chain behind it. */
  readonly cert?: Buffer | undefined;
  /** Its key. */
  readonly key?: Buffer | undefined;
  /** Authorities: of servers for a client, of clients for a server. */
  readonly ca?: Buffer | undefined;
}

/**
 * What a side of connections is secured with, now and from the next change on. A server has a certificate and its key; with authorities, its clients
 * must show a certificate that one of these has signed. A client has authorities, and a certificate where servers want one. Whether clients must show
 * something, and whether a client has something to show, does not change.
 */
export interface TlsSource {
  readonly current: TlsMaterial;
  /** Tells of another `current`; connections that stand keep theirs. @returns ends that */
  onChange(listener: () => void): () => void;
}

/**
 * What both sides agree on (RFC 9113, section 9.2): TLS 1.3, or 1.2 with those of its ciphers that section 9.2.2 does not prohibit, which have
 * forward secrecy and authenticate what they encrypt; no renegotiation, no compression.
 */
export const tlsPolicy = {
  minVersion: 'TLSv1.2',
  ciphers: [
    ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
    ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
    ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
    ...['ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
  ].join(':'),
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
} as const satisfies SecureContextOptions;

/** The protocol that is negotiated (RFC 9113, section 3.2). */
export const alpn = ['h2'];

/** What a socket of node:tls is made with, or what a server takes for its next ones. */
export function contextOptions({ cert, key, ca }: TlsMaterial): SecureContextOptions {
  return { ...tlsPolicy, ...(cert !== undefined && { cert, key }), ...(ca !== undefined && { ca }) };
}

/** What a client secures a connection to a host with. It asks for it by name; addresses are none (RFC 6066, section 3). */
export function secureOptions(host: string, tls: TlsSource): ConnectionOptions {
  const name = isIP(host) === 0 ? { servername: host } : {};
  return { host, ...name, ...contextOptions(tls.current), ALPNProtocols: alpn };
}

/** Why a connection whose handshake went well is none of HTTP/2; undefined when it is. */
export function protocolFault(socket: TLSSocket): Error | undefined {
  if (socket.alpnProtocol === 'h2') return undefined;
  return new TlsFault('the protocol h2 was not negotiated (ALPN)', 'ALPN');
}

const untrusted = 'the certificate of the other side is of an authority that is not trusted here';
/** OpenSSL's words for what goes wrong in a handshake, by their codes in Node, in words that say what to mend. */
const faults: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: 'the other side does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the other side does not speak TLS',
  ERR_SSL_HTTP_REQUEST: 'a request without TLS, on a port with TLS',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'the client does not offer the protocol h2 (ALPN)',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'the server does not speak h2 (ALPN)',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'the client showed no certificate, and it needs one',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'the server wants a certificate of its clients',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'the other side does not trust the authority of the certificate that it was shown',
};

/** A handshake failed for what the other side did, or is. */
export class TlsFault extends Error {
  /** One of a few, for whoever counts them. */
  readonly code: string;

  constructor(message: string, code: string, cause?: Error) {
    super(message, { cause });
    this.name = 'TlsFault';
    this.code = code;
  }
}

/** What an error of a socket means to whoever has to mend it; itself where it is none of TLS. */
export function tlsFault(error: Error): Error {
  const { code = '' } = error as { readonly code?: string };
  const isOfTls = code in faults || /^ERR_(SSL|TLS)_|CERT/.test(code);
  return isOfTls ? new TlsFault(faults[code] ?? error.message, code, error) : error;
}

/** Why a handshake failed that a server was in. */
export function handshakeFault(error: Error): Error {
  const { code } = error as { readonly code?: string };
  if (code === 'ECONNRESET' || code === 'EPIPE') return new ConnectionLost('it was closed in its handshake', error);
  const fault = tlsFault(error);
  return fault instanceof TlsFault ? fault : new TlsFault(error.message, code ?? 'unknown', error);
}
