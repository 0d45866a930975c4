import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type { Metrics } from './metrics.ts';

/** What the port is secured with. */
export interface MetricsTls {
  readonly options: TlsOptions;
  /** Tells of other certificates, for new connections. @returns ends that */
  onChange(listener: (options: SecureContextOptions) => void): () => void;
}

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly metrics: Pick<Metrics, 'text' | 'registry'>;
  /** A client that has not sent its request by then is cut off; default 5,000 ms. */
  readonly requestTimeoutMs?: number;
  /** Without it, the port is plain. */
  readonly tls?: MetricsTls | undefined;
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `GET /metrics` and nothing else: 404 for other paths, 405 for other methods. Bounded: 32 connections, 8 KiB of
 * headers, no bodies.
 *
 * @throws Error with code EADDRINUSE and the like when the port cannot be bound
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { tls, requestTimeoutMs: timeoutMs = 5_000 } = options;
  const limits = {
    ...{ maxHeaderSize: 8_192, headersTimeout: timeoutMs, requestTimeout: timeoutMs, keepAliveTimeout: timeoutMs },
    handshakeTimeout: timeoutMs,
  };
  const serve = (request: IncomingMessage, response: ServerResponse) => void answer(options.metrics, request, response);
  const server = tls === undefined ? createServer(limits, serve) : secureServer(tls, limits, serve);
  server.maxConnections = 32;
  server.unref();
  const listening = Promise.withResolvers<undefined>();
  server.once('error', listening.reject);
  server.listen(options.port, options.host, () => listening.resolve(undefined));
  await listening.promise;
  server.removeListener('error', listening.reject);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = Promise.withResolvers<undefined>();
      server.close(() => closed.resolve(undefined));
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

function secureServer(tls: MetricsTls, limits: ServerOptions, serve: RequestListener): Server {
  const server = createSecureServer({ ...tls.options, ...limits }, serve);
  const unfollow = tls.onChange((options) => server.setSecureContext(options));
  server.once('close', unfollow);
  return server;
}

async function answer(metrics: MetricsServerOptions['metrics'], request: IncomingMessage, response: ServerResponse) {
  const path = (request.url ?? '').split('?', 1)[0];
  const plain = { 'content-type': 'text/plain; charset=utf-8' };
  if (path !== '/metrics') {
    response.writeHead(404, { ...plain, connection: 'close' }).end('not found: this port serves /metrics\n');
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { ...plain, allow: 'GET, HEAD', connection: 'close' }).end('only GET and HEAD\n');
  } else {
    try {
      const text = await metrics.text();
      response.writeHead(200, { 'content-type': metrics.registry.contentType });
      response.end(request.method === 'HEAD' ? undefined : text);
    } catch {
      response.writeHead(500, plain).end('a metric could not be read\n');
    }
  }
}
