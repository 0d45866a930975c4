import { describe, expect, it } from 'vitest';
import type { HeaderBlock } from '../hpack/header-block.ts';
import { readRequest, readResponse, readTrailers, valueOf } from './fields.ts';
import type { Fields, Malformed } from './fields.ts';

const block = (...fields: readonly string[]): HeaderBlock => ({
  ...{ fields, listSize: 0, values: fields.length / 2, tooLong: false },
  meaning: undefined,
});
const pseudo = [':method', 'POST', ':scheme', 'http', ':path', '/a'] as const;
const request = (...more: readonly string[]): Fields | Malformed => readRequest(block(...pseudo, ...more));
const response = (...more: readonly string[]): Fields | Malformed => readResponse(block(':status', '200', ...more));
const trailers = (...fields: readonly string[]): Fields | Malformed => readTrailers(block(...fields));

/** Each kind of message with these fields behind its own. */
const everyKind = (...more: readonly string[]): (string | undefined)[] =>
  [request(...more), response(...more), trailers(...more)].map(({ malformed }) => malformed);

const chars = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => String.fromCharCode(from + at));

describe('the name of a field', () => {
  it('has visible ASCII without capitals', () => {
    const good = [...chars(0x21, 0x39), ...chars(0x3b, 0x40), ...chars(0x5b, 0x7e)];
    for (const char of good)
      expect([char, everyKind(`a${char}`, 'x')]).toEqual([char, [undefined, undefined, undefined]]);
  });

  it('has nothing else', () => {
    const bad = [...chars(0x00, 0x20), ...chars(0x41, 0x5a), ...chars(0x7f, 0xff)];
    for (const char of bad)
      for (const name of [char, `a${char}`, `${char}a`, `a${char}b`])
        expect([name, everyKind(name, 'x').filter((fault) => fault === undefined)]).toEqual([name, []]);
  });

  it('is not empty', () => {
    expect(everyKind('', 'x')).toEqual(Array(3).fill('a field named ""'));
  });

  it('has no colon but the first of a pseudo-header field', () => {
    for (const name of ['a:', 'a:b', '::', ':', 'te:'])
      expect(everyKind(name, 'x').filter((fault) => fault === undefined)).toEqual([]);
  });

  it('is told in part where it is long', () => {
    expect(request(`A${'b'.repeat(100)}`, 'x').malformed).toBe(`a field named "A${'b'.repeat(39)}…"`);
  });
});

describe('the value of a field', () => {
  it.each([
    ['NUL', '\0'],
    ['line feed', '\n'],
    ['carriage return', '\r'],
  ])('has no %s anywhere', (_what, char) => {
    for (const value of [char, `a${char}`, `${char}a`, `a${char}b`])
      expect(everyKind('x', value)).toEqual(Array(3).fill('the value of x'));
    expect(readRequest(block(':method', `P${char}T`, ':scheme', 'http', ':path', '/')).malformed).toBe(
      'the value of :method',
    );
  });

  it.each([
    ['a space', ' '],
    ['a tabulator', '\t'],
  ])('neither begins nor ends with %s', (_what, char) => {
    for (const value of [char, `a${char}`, `${char}a`])
      expect(everyKind('x', value)).toEqual(Array(3).fill('the value of x'));
    expect(everyKind('x', `a${char}b`)).toEqual([undefined, undefined, undefined]);
  });

  it('has any other octet, or none', () => {
    for (const value of ['', '\u0001', '\u007f', '\u0080\u00ff', 'a b'])
      expect(everyKind('x', value)).toEqual(Array(3).fill(undefined));
  });
});

describe('fields of HTTP/1', () => {
  it.each(['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'])(
    'have no place: %s',
    (name) => {
      expect(everyKind(name, 'x')).toEqual(Array(3).fill(`${name}, which is of HTTP/1`));
    },
  );

  it('have one exception, te of a request that takes trailers', () => {
    expect(request('te', 'trailers').malformed).toBeUndefined();
    expect(request('te', 'Trailers').malformed).toBeUndefined();
    for (const value of ['', 'gzip', 'trailers, gzip', 'trailers;q=1'])
      expect(request('te', value).malformed).toBe('te other than "trailers"');
    expect(response('te', 'trailers').malformed).toBe('te, which is for requests');
  });
});

describe('pseudo-header fields', () => {
  it('come before all others', () => {
    expect(readRequest(block(':method', 'POST', 'a', 'b', ':scheme', 'http', ':path', '/')).malformed).toBe(
      ':scheme behind other fields',
    );
    expect(readResponse(block('a', 'b', ':status', '200')).malformed).toBe(':status behind other fields');
  });

  it('come once, also with the same value', () => {
    for (const name of [':method', ':scheme', ':path'])
      expect(readRequest(block(...pseudo, name, 'POST')).malformed).toBe(`${name} twice`);
    expect(readRequest(block(...pseudo, ':authority', 'a', ':authority', 'a')).malformed).toBe(':authority twice');
    expect(readResponse(block(':status', '200', ':status', '200')).malformed).toBe(':status twice');
  });

  it('are those of their kind of message, and known', () => {
    for (const name of [':status', ':protocol', ':foo', ':Method', ':'])
      expect(readRequest(block(...pseudo, name, '200')).malformed).toBe(`${name} in such a message`);
    for (const name of [':method', ':scheme', ':path', ':authority', ':foo'])
      expect(readResponse(block(':status', '200', name, 'a')).malformed).toBe(`${name} in such a message`);
  });

  it('do not stand in trailers', () => {
    for (const name of [':status', ':method', ':path', ':foo'])
      expect(trailers(name, '200').malformed).toBe(`${name} in such a message`);
    expect(trailers('grpc-status', '0')).toMatchObject({ malformed: undefined, regular: ['grpc-status', '0'] });
  });

  it('of a request are its method, scheme and path, none of them empty', () => {
    for (let left = 0; left < 6; left += 2) {
      const fields = [...pseudo];
      const [name] = fields.splice(left, 2);
      expect(readRequest(block(...fields)).malformed).toBe(`no ${name}`);
      expect(readRequest(block(...fields, name!, '')).malformed).toBe(`no ${name}`);
    }
    const read = request(':authority', 'a', 'b', 'c', 'd', 'e') as Fields;
    expect([...read.pseudo]).toEqual([
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', '/a'],
      [':authority', 'a'],
    ]);
    expect(read.regular).toEqual(['b', 'c', 'd', 'e']);
  });

  it('of a response are its status, of three digits', () => {
    for (const status of ['100', '200', '599', '999'])
      expect(readResponse(block(':status', status)).malformed).toBeUndefined();
    for (const status of ['', '99', '099', '1000', '2oo', '20', '-200'])
      expect(readResponse(block(':status', status)).malformed).toBe('no :status');
    expect(readResponse(block('a', 'b')).malformed).toBe('no :status');
  });

  it('of CONNECT are too few here', () => {
    expect(readRequest(block(':method', 'CONNECT', ':authority', 'a:1')).malformed).toBe('no :scheme');
  });
});

describe('the authority of a request', () => {
  it('is one with host, whose case does not matter', () => {
    expect(request(':authority', 'Example.org:80', 'host', 'example.ORG:80').malformed).toBeUndefined();
    expect(request(':authority', 'example.org', 'host', 'example.com').malformed).toBe('host other than :authority');
    expect(request(':authority', 'a', 'host', 'a', 'b', 'c').malformed).toBeUndefined();
  });

  it('may be left to host, or to nobody', () => {
    expect(request('host', 'a').malformed).toBeUndefined();
    expect(request().malformed).toBeUndefined();
  });

  it('has no user', () => {
    for (const authority of ['me@example.org', 'me:secret@example.org', '@'])
      expect(request(':authority', authority).malformed).toBe(':authority with user information');
  });
});

describe('the length of the content', () => {
  it('is what all of its fields say', () => {
    expect(request()).toMatchObject({ contentLength: undefined });
    expect(request('content-length', '0')).toMatchObject({ contentLength: 0 });
    expect(response('content-length', '012', 'content-length', '12')).toMatchObject({ contentLength: 12 });
    expect(request('content-length', '1', 'content-length', '2').malformed).toBe('content-length');
  });

  it('is a number of digits', () => {
    for (const value of ['', '-1', '+1', '1.0', '0x1', '1e3', '1, 1', '9'.repeat(16)])
      expect(request('content-length', value).malformed).toBe('content-length');
    expect(request('content-length', '9'.repeat(15))).toMatchObject({ contentLength: 999_999_999_999_999 });
  });
});

it('the value of a name is the first that it has, and never that of a value', () => {
  const fields = ['a', 'b', 'b', 'c', 'b', 'd'];
  expect([valueOf(fields, 'b'), valueOf(fields, 'c'), valueOf([], 'a')]).toEqual(['c', undefined, undefined]);
});
