import type { HeaderBlock } from '../hpack/header-block.ts';

/** Visible ASCII in lower case, without the colon that only begins pseudo-header fields (RFC 9113, section 8.2.1). */
const nameForm = /^[!-9;-@[-~]+$/;
const prohibited = /[\0\r\n]|^[ \t]|[ \t]$/;
const connectionSpecific: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);

const requestPseudo: ReadonlySet<string> = new Set([':method', ':scheme', ':path', ':authority']);
const responsePseudo: ReadonlySet<string> = new Set([':status']);
const noPseudo: ReadonlySet<string> = new Set();

/** A message that is not well-formed (section 8.1.1): its stream is reset with PROTOCOL_ERROR. */
export interface Malformed {
  readonly malformed: string;
}

/** The fields of a message: control data by name, and the others in their order. */
export interface Fields {
  readonly malformed: undefined;
  readonly pseudo: ReadonlyMap<string, string>;
  /** Names and values in turn. */
  readonly regular: readonly string[];
  /** Octets that the content has by `content-length`; undefined where it does not say. */
  readonly contentLength: number | undefined;
}

/** @param pseudo the pseudo-header fields that the kind of message may have */
function split(block: HeaderBlock, pseudo: ReadonlySet<string>): Fields | Malformed {
  const { fields } = block;
  const control = new Map<string, string>();
  const regular: string[] = [];
  let contentLength: number | undefined;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!;
    const value = fields[at + 1]!;
    if (prohibited.test(value)) return { malformed: `the value of ${clip(name)}` };
    if (name.startsWith(':')) {
      if (!pseudo.has(name)) return { malformed: `${clip(name)} in such a message` };
      if (regular.length > 0) return { malformed: `${name} behind other fields` };
      if (control.has(name)) return { malformed: `${name} twice` };
      control.set(name, value);
      continue;
    }
    const fault = faultOf(name, value);
    if (fault !== undefined) return { malformed: fault };
    if (name === 'content-length') {
      const length = /^\d{1,15}$/.test(value) ? Number(value) : undefined;
      if (length === undefined || (contentLength ?? length) !== length) return { malformed: 'content-length' };
      contentLength = length;
    }
    regular.push(name, value);
  }
  return { malformed: undefined, pseudo: control, regular, contentLength };
}

function faultOf(name: string, value: string): string | undefined {
  if (!nameForm.test(name)) return `a field named ${JSON.stringify(clip(name))}`;
  if (connectionSpecific.has(name)) return `${name}, which is of HTTP/1`;
  if (name === 'te' && value.toLowerCase() !== 'trailers') return 'te other than "trailers"';
  return undefined;
}

const clip = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** Of a request (section 8.3.1). CONNECT has no place here and counts as any other method. */
export function readRequest(block: HeaderBlock): Fields | Malformed {
  const request = split(block, requestPseudo);
  if (request.malformed !== undefined) return request;
  for (const name of [':method', ':scheme', ':path'])
    if ((request.pseudo.get(name) ?? '') === '') return { malformed: `no ${name}` };
  const authority = request.pseudo.get(':authority');
  if (authority === undefined) return request;
  if (authority.includes('@')) return { malformed: ':authority with user information' };
  const host = valueOf(request.regular, 'host');
  if (host !== undefined && host.toLowerCase() !== authority.toLowerCase())
    return { malformed: 'host other than :authority' };
  return request;
}

/** Of a response (section 8.3.2), interim ones included. */
export function readResponse(block: HeaderBlock): Fields | Malformed {
  const response = split(block, responsePseudo);
  if (response.malformed !== undefined) return response;
  // The exception for it is one of requests (section 8.2.2).
  if (valueOf(response.regular, 'te') !== undefined) return { malformed: 'te, which is for requests' };
  return /^[1-9]\d\d$/.test(response.pseudo.get(':status') ?? '') ? response : { malformed: 'no :status' };
}

export const readTrailers = (block: HeaderBlock): Fields | Malformed => split(block, noPseudo);

/** The first value of a field. @param fields names and values in turn */
export function valueOf(fields: readonly string[], name: string): string | undefined {
  for (let at = 0; at < fields.length; at += 2) if (fields[at] === name) return fields[at + 1];
  return undefined;
}
