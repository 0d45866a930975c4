import { readRequest } from '../http2/fields.ts';
import { fieldOverhead } from '../hpack/header-block.ts';
import type { HeaderBlock } from '../hpack/header-block.ts';
import { acceptedCodings, isCoding } from './codings.ts';
import type { Coding } from './codings.ts';
import { Metadata } from './metadata.ts';
import { parseTimeout, quoted, statusCodes } from './status.ts';

/** Why a request is not a call, and how it is answered. */
export type Refusal =
  | { readonly kind: 'malformed'; readonly why: string }
  | { readonly kind: 'http'; readonly status: number }
  | {
      readonly kind: 'grpc';
      readonly code: number;
      readonly details: string;
      /** Fields of the answer, names and values in turn. */
      readonly fields?: readonly string[];
    };

/** What the fields of a request say. It may stand for many requests with the same fields. */
export interface RequestHead {
  readonly refusal: Refusal | undefined;
  readonly path: string;
  readonly authority: string;
  /** Undefined: without a deadline. */
  readonly timeoutMs: number | undefined;
  readonly coding: Coding;
  /** What the caller says in `grpc-accept-encoding`. */
  readonly accepts: string;
  readonly contentLength: number | undefined;
  /** Names and values in turn, of all that is metadata. */
  readonly fields: readonly string[];
  /** What a call keeps with it: as the size of a header list counts, with the values that stand in one field as if each had its own. */
  readonly octets: number;
  /** The same fields with the methods of grpc-js, for one call, which may change it. */
  metadata(): Metadata;
}

const protocolFields = new Set(['te', 'content-type', 'grpc-timeout', 'grpc-encoding', 'content-length', 'host']);

/** @returns what was made of the same block before, if it was */
export function requestHead(block: HeaderBlock): RequestHead {
  return (block.meaning ??= read(block)) as RequestHead;
}

class Head implements RequestHead {
  refusal: Refusal | undefined;
  path = '';
  authority = '';
  timeoutMs: number | undefined;
  coding: Coding = 'identity';
  accepts = '';
  contentLength: number | undefined;
  fields: string[] = [];
  readonly octets: number;
  #metadata: Metadata | undefined;

  constructor(octets: number) {
    this.octets = octets;
  }

  metadata(): Metadata {
    return (this.#metadata ??= Metadata.fromFields(this.fields)).clone();
  }
}

function read(block: HeaderBlock): RequestHead {
  const furtherValues = block.values - block.fields.length / 2;
  const head = new Head(block.listSize + furtherValues * fieldOverhead);
  head.refusal = fill(head, block);
  return head;
}

function fill(head: Head, block: HeaderBlock): Refusal | undefined {
  // Request Header Fields Too Large (RFC 6585).
  if (block.tooLong) return { kind: 'http', status: 431 };
  const request = readRequest(block);
  if (request.malformed !== undefined) return { kind: 'malformed', why: request.malformed };
  head.path = request.pseudo.get(':path')!;
  head.authority = request.pseudo.get(':authority') ?? '';
  head.contentLength = request.contentLength;
  if (request.pseudo.get(':method') !== 'POST') return { kind: 'http', status: 405 };
  let refusal: Refusal | undefined;
  let isGrpc = false;
  for (let at = 0; at < request.regular.length; at += 2) {
    const name = request.regular[at]!;
    const value = request.regular[at + 1]!;
    if (name === acceptedCodings[0]) head.accepts = value;
    if (!protocolFields.has(name)) head.fields.push(name, value);
    else if (name === 'content-type') isGrpc = /^application\/grpc(?:$|[+;])/.test(value);
    else if (name === 'grpc-timeout') refusal ??= readTimeout(head, value);
    else if (name === 'grpc-encoding') refusal ??= readCoding(head, value);
  }
  return isGrpc ? refusal : { kind: 'http', status: 415 };
}

function readTimeout(head: Head, value: string): Refusal | undefined {
  head.timeoutMs = parseTimeout(value);
  if (head.timeoutMs !== undefined) return undefined;
  return { kind: 'grpc', code: statusCodes.INTERNAL, details: `grpc-timeout: ${quoted(value)} is none` };
}

function readCoding(head: Head, value: string): Refusal | undefined {
  if (isCoding(value)) head.coding = value;
  else
    return {
      kind: 'grpc',
      code: statusCodes.UNIMPLEMENTED,
      details: `grpc-encoding: ${quoted(value)} is not known here; identity, gzip and deflate are`,
      // doc/compression.md of grpc/grpc: so that the caller can do better.
      fields: acceptedCodings,
    };
  return undefined;
}
