import { expect, test } from 'vitest';
import { withFigures } from './publish.ts';

test('the figures between the marks are replaced, all else stays', () => {
  const page = '# Speed\n\n<!-- figures -->\n\nold\n\n<!-- /figures -->\n\nnotes\n';
  const once = withFigures(page, '\nrow  1\n', new Date('2026-11-22T10:00:00Z'));
  expect(once).toBe(
    '# Speed\n\n<!-- figures -->\n\nMeasured on 2026-11-22.\n\n```text\nrow  1\n```\n\n<!-- /figures -->\n\nnotes\n',
  );
  expect(withFigures(once, 'row  1', new Date('2026-11-22T10:00:00Z'))).toBe(once);
});

test('a page without the marks is refused', () => {
  expect(() => withFigures('# Speed\n', 'row', new Date(0))).toThrow('<!-- figures -->');
});
