import { describe, expect, it } from 'vitest';
import { checkVersionFiles, pathProblem } from './names.ts';

const file = (path: string) => ({ path, sha256: 'a'.repeat(64), size: 1 });

describe('paths inside a version', () => {
  it.each(['model.onnx', 'a/b/c.bin', 'weights (1).bin', 'ü/x', '.hidden', 'a..b'])('takes %j', (path) => {
    expect(pathProblem(path)).toBeUndefined();
  });

  it.each([
    ['', 'is empty'],
    ['/etc/passwd', 'is absolute'],
    ['C:/x', 'is absolute'],
    ['../x', 'has the part ".."'],
    ['a/../../x', 'has the part ".."'],
    ['./x', 'has the part "."'],
    ['a//b', 'has an empty part'],
    ['a/', 'has an empty part'],
    ['a\\b', 'has a backslash'],
    ['a\0b', 'has a control character'],
    ['a\nb', 'has a control character'],
    ['\ud800', 'is not valid Unicode'],
    ['x'.repeat(256), 'has a part longer than 255 bytes'],
    ['x/'.repeat(600) + 'y', 'is longer than 1,024 bytes'],
  ])('says of %j that it %s', (path, problem) => {
    expect(pathProblem(path)).toBe(problem);
  });
});

describe('the files of a version', () => {
  it('takes a folder', () => {
    checkVersionFiles([file('model.onnx'), file('data/weights.bin'), file('data/more.bin')]);
  });

  it.each([
    [[], /none given/],
    [Array.from({ length: 1001 }, (_, index) => file(`f${index}`)), /1001 given; .* at most 1000/],
    [[file('a'), file('../b')], /^files\[1\]\.path: "\.\.\/b" has the part/],
    [[{ ...file('a'), sha256: 'xyz' }], /^files\[0\]\.sha256: "xyz"/],
    [[{ ...file('a'), size: -1 }], /^files\[0\]\.size: -1/],
    [[file('Model.onnx'), file('model.onnx')], /files\[1\]\.path: "model.onnx" is given twice \("Model.onnx"\)/],
    [[file('a/b'), file('a')], /"a" is both a file and the folder of "a\/b"/],
  ])('refuses what cannot be laid out', (files, message) => {
    expect(() => checkVersionFiles(files)).toThrow(message);
  });
});
