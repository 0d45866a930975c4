import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clipped,
  decodeMessage,
  encodeMessage,
  encodeOctets,
  formatTimeout,
  parseTimeout,
  quoted,
  statusCodes,
  statusOfReset,
} from './status.ts';

describe('a message of a status', () => {
  it.each([
    ['', ''],
    ['all is well: ~!', 'all is well: ~!'],
    ['100 %', '100 %25'],
    ['%41', '%2541'],
    ['two\nlines\t', 'two%0Alines%09'],
    ['ä → 😀', '%C3%A4 %E2%86%92 %F0%9F%98%80'],
    ['\0\u007f', '%00%7F'],
    ['  a b ', '%20%20a b%20'],
    [' ', '%20'],
  ])('travels percent-encoded: %j', (message, encoded) => {
    expect(encodeMessage(message)).toBe(encoded);
    expect(decodeMessage(encoded)).toBe(message);
  });

  it('is a lawful value of a field, and comes back, whatever it says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (message) => {
        const encoded = encodeMessage(message);
        expect(encoded).toMatch(/^(?:[!-~](?:[ -~]*[!-~])?)?$/);
        expect(decodeMessage(encoded)).toBe(Buffer.from(message, 'utf8').toString('utf8'));
      }),
    );
  });

  /** What it is by the definition: each octet by itself, and spaces only between others. */
  const byDefinition = (message: string): string => {
    const octets = [...Buffer.from(message, 'utf8')];
    const isInner = (at: number): boolean =>
      [octets.slice(0, at), octets.slice(at + 1)].every((side) => side.some((octet) => octet !== 0x20));
    const isPlain = (octet: number, at: number): boolean =>
      octet > 0x20 && octet < 0x7f ? octet !== 0x25 : octet === 0x20 && isInner(at);
    return octets
      .map((octet, at) =>
        isPlain(octet, at) ? String.fromCharCode(octet) : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`,
      )
      .join('');
  };

  it('has white space only within, however much', () => {
    const character = fc.constantFrom(' ', ' ', ' ', 'a', '%', '\n', 'ä', '\u00ff');
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 40 }), (message) => {
        expect(encodeMessage(message)).toBe(byDefinition(message));
      }),
    );
  });

  const spaces = ' '.repeat(16_000);
  it.each([
    ['within', `a${spaces}\u00ff`],
    ['before', `${spaces}\u00ff`],
    ['behind', `\u00ff${spaces}`],
    ['within, again and again', `${'a    '.repeat(3000)}\u00ff`],
    ['and nothing else', spaces],
  ])('has each of its octets looked at twice at most, with spaces %s', (_where, message) => {
    let looks = 0;
    const octets = new Proxy(Buffer.from(message, 'utf8'), {
      get: (target, key) => {
        if (key === 'length') return target.length;
        looks++;
        return target[Number(key)];
      },
    });
    expect(decodeMessage(encodeOctets(octets))).toBe(message);
    expect(looks).toBeLessThanOrEqual(2 * octets.length);
  });

  it('has of what a peer said no more than tells what it was', () => {
    expect([quoted('a"b\u0001'), clipped('x'.repeat(100))]).toEqual(['"a\\"b\\u0001"', 'x'.repeat(100)]);
    expect(quoted('x'.repeat(101))).toBe(`"${'x'.repeat(100)}…"`);
    expect(clipped('x'.repeat(20_000))).toBe(`${'x'.repeat(100)}…`);
  });

  it('stays as it is where it is not properly encoded', () => {
    for (const text of ['%', '%4', 'a%zzb', '%%', '100 %']) expect(decodeMessage(text)).toBe(text);
    expect(decodeMessage('%41%4')).toBe('A%4');
    expect(decodeMessage('%e4%C3%a4')).toBe('\ufffdä');
  });
});

describe('a timeout', () => {
  it.each([
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3_000],
    ['4m', 4],
    ['5u', 0.005],
    ['6n', 0.000_006],
    ['0n', 0],
    ['99999999H', 99_999_999 * 3_600_000],
    ['00000010S', 10_000],
  ])('has a unit: %s', (text, ms) => {
    expect(parseTimeout(text)).toBeCloseTo(ms, 9);
  });

  it('is none otherwise', () => {
    for (const text of [
      '',
      'S',
      '1',
      '123456789S',
      '1s',
      '-1S',
      '+1S',
      '1.5S',
      ' 1S',
      '1S ',
      '1S\n',
      '1SS',
      '0x1S',
      '١S',
    ])
      expect([text, parseTimeout(text)]).toEqual([text, undefined]);
  });

  it('is written with at most eight digits, and never shorter than it is', () => {
    expect([0, 0.2, 1, 1.5, 99_999_999].map(formatTimeout)).toEqual(['1m', '1m', '1m', '2m', '99999999m']);
    expect(formatTimeout(1e8)).toBe('100000S');
    expect(formatTimeout(1e8 + 1)).toBe('100001S');
    expect(formatTimeout(99_999_999_000)).toBe('99999999S');
    expect(formatTimeout(99_999_999_001)).toBe('27778H');
    expect(formatTimeout(1e20)).toBe('99999999H');
    expect(formatTimeout(Infinity)).toBe('99999999H');
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e14, noNaN: true }), (ms) => {
        const parsed = parseTimeout(formatTimeout(ms))!;
        expect(parsed).toBeGreaterThanOrEqual(ms);
        expect(parsed - ms).toBeLessThanOrEqual(Math.max(1, ms));
      }),
    );
  });
});

it('a reset is a status by its code, and INTERNAL where nobody knows better', () => {
  const byCode = [
    ...['INTERNAL', 'INTERNAL', 'INTERNAL', 'INTERNAL', 'INTERNAL', 'INTERNAL', 'INTERNAL'],
    ...['UNAVAILABLE', 'CANCELLED', 'INTERNAL', 'INTERNAL', 'RESOURCE_EXHAUSTED', 'PERMISSION_DENIED', 'INTERNAL'],
  ] as const;
  expect(byCode.map((_, code) => statusOfReset(code))).toEqual(byCode.map((name) => statusCodes[name]));
  expect(statusOfReset(0xffff_ffff)).toBe(statusCodes.INTERNAL);
});
