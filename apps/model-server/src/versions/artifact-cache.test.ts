import { describe, expect, it } from 'vitest';
import { checkRelativePath } from './artifact-cache.ts';

describe('checkRelativePath', () => {
  it.each(['model.onnx', 'data/w.bin', 'a/b/c.d', '..data', 'a..b/c'])('takes %s', (file) => {
    expect(() => checkRelativePath(file)).not.toThrow();
  });

  it.each(['', '/etc/passwd', '../w', 'a/../../w', './a', 'a//b', 'a/', 'C:/w', 'c:w', 'a\\b', 'a\0b', '..'])(
    'refuses %j',
    (file) => {
      expect(() => checkRelativePath(file)).toThrow(expect.objectContaining({ kind: 'data-loss' }));
    },
  );
});
