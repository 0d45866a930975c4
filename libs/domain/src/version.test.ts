import { describe, expect, it } from 'vitest';
import { canonicalFileList, versionDigest } from './version.ts';

const file = (path: string, sha256 = 'aa', size = 1) => ({ path, sha256, size });

describe('a version digest', () => {
  it('covers path, digest and size of every file, whatever their order', () => {
    const files = [file('model.onnx', 'bb', 20), file('data/weights.bin', 'cc', 3)];
    expect(canonicalFileList(files)).toBe('cc 3 data/weights.bin\nbb 20 model.onnx\n');
    expect(canonicalFileList(files.toReversed())).toBe(canonicalFileList(files));
    expect(versionDigest(files, (text) => `hash of ${text.length}`)).toBe('hash of 39');
  });

  it('orders by UTF-8 bytes, not by UTF-16 units', () => {
    expect(canonicalFileList([file('\u{1F600}'), file('\uFF5E')])).toBe('aa 1 \uFF5E\naa 1 \u{1F600}\n');
    expect(canonicalFileList([file('ab'), file('a')])).toBe('aa 1 a\naa 1 ab\n');
  });
});
