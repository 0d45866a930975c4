import { isRaw } from '../handlers.ts';
import type { RawMethod, RawUnaryHandler } from '../handlers.ts';
import type { PeerLimits } from './peer.ts';

export interface LinkServerOptions {
  /**
   * Answers that wait for the caller to take them, in bytes, before its requests are held up; default 64 MiB. A caller
   * that sends and never reads holds no more than this and the requests that its window lets in.
   */
  readonly stallBytes?: number;
  readonly limits?: Partial<Omit<PeerLimits, 'stallBytes'>>;
  /** For tests: runs a function at the end of this turn of the event loop; default `setImmediate`. */
  readonly defer?: (fn: () => void) => void;
}

/** Marks a bidirectional method that carries calls of raw methods. */
export interface LinkMethod {
  /** By full name, such as `inference.GRPCInferenceService/ModelInfer`. */
  readonly link: Readonly<Record<string, RawMethod>>;
  readonly options: LinkServerOptions;
}

/**
 * Makes a bidirectional method carry calls of others. They are counted as calls of those methods, and their handlers
 * cannot tell how they came.
 *
 * @param methods by full name, what `raw` takes or gives
 */
export function linkHandler(
  methods: Readonly<Record<string, RawUnaryHandler | RawMethod>>,
  options: LinkServerOptions = {},
): LinkMethod {
  const entries = Object.entries(methods).map(([name, method]) => [name, isRaw(method) ? method : { raw: method }]);
  return { link: Object.fromEntries(entries) as LinkMethod['link'], options };
}

export function isLink(handler: unknown): handler is LinkMethod {
  return typeof handler === 'object' && handler !== null && 'link' in handler;
}
