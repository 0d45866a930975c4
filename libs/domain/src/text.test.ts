import { describe, expect, it } from 'vitest';
import { clip } from './names.ts';
import { checkText, cutText, storableText } from './text.ts';

const smile = '\u{1F600}';

describe('text from outside', () => {
  it('is refused with its field when it has a NUL or half a character', () => {
    expect(checkText(`gr\u00fc\u00df dich ${smile}`, 'owner')).toContain(smile);
    expect(() => checkText('a\u0000b', 'owner')).toThrow(/^owner: .*NUL/);
    expect(() => checkText(smile[0]!, 'versions[0].reason')).toThrow(/^versions\[0\]\.reason: .*surrogate/);
  });

  it('is made storable when it is to be kept', () => {
    expect(storableText(`a\u0000b${smile[1]!}c${smile}`)).toBe(`a\uFFFDb\uFFFDc${smile}`);
  });

  it('is never cut inside a character', () => {
    expect(cutText(`ab${smile}`, 3)).toBe('ab');
    expect(cutText(`ab${smile}`, 4)).toBe(`ab${smile}`);
    expect(clip(`${'x'.repeat(79)}${smile}`)).toBe(`${'x'.repeat(79)}\u2026`);
  });
});
