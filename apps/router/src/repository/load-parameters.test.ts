import { SluiceError } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import { readLoadParameters } from './load-parameters.ts';
import type { RepositoryParameter } from './load-parameters.ts';

const bytes = (text: string): RepositoryParameter => ({ parameterChoice: 'bytesParam', bytesParam: Buffer.from(text) });
const text = (value: string): RepositoryParameter => ({ parameterChoice: 'stringParam', stringParam: value });

function refusal(parameters: Readonly<Record<string, RepositoryParameter>>): string {
  try {
    readLoadParameters(parameters);
  } catch (error) {
    const { kind, message } = SluiceError.from(error);
    return `${kind}: ${message}`;
  }
  return 'none';
}

describe('readLoadParameters', () => {
  it('reads a configuration, and files in Triton’s layout: those of the version and those beside it', () => {
    const { config, files } = readLoadParameters({
      config: text('{}'),
      'file:12/model.onnx': bytes('graph'),
      'file:12/data/weights.bin': bytes(''),
      'file:labels.txt': bytes('cat'),
    });
    expect(config).toBe('{}');
    expect(files.map(({ path, bytes: content }) => [path, Buffer.from(content).toString()])).toEqual([
      ['model.onnx', 'graph'],
      ['data/weights.bin', ''],
      ['labels.txt', 'cat'],
    ]);
    expect(readLoadParameters({})).toEqual({ config: undefined, files: [] });
  });

  it.each([
    ['file:', 'is empty'],
    ['file:/etc/passwd', 'is absolute'],
    ['file:C:/model.onnx', 'is absolute'],
    ['file:1/../../model.onnx', 'has the part ".."'],
    ['file:1/./model.onnx', 'has the part "."'],
    ['file:1//model.onnx', 'has an empty part'],
    ['file:1\\model.onnx', 'has a backslash'],
    ['file:1/model\n.onnx', 'has characters that no file name may have'],
    ['file:1/model\ud800.onnx', 'has characters that no file name may have'],
  ])('refuses the path of %j', (name, why) => {
    expect(refusal({ [name]: bytes('x') })).toContain(`invalid-argument: parameter "${name}": the path ${why}`);
  });

  it('answers as Triton where no file can have the name', () => {
    expect(refusal({ [`file:1/${'a'.repeat(255)}`]: bytes('x') })).toBe('none');
    expect(refusal({ [`file:1/${'a'.repeat(256)}`]: bytes('x') })).toContain(
      'model-failed: failed to poll from model repository: parameter "file:1/aaa',
    );
  });

  it('refuses what is not known, of another type, or too large', () => {
    expect(refusal({ model: text('x') })).toContain('invalid-argument: parameter "model" is not known');
    expect(refusal({ config: bytes('{}') })).toContain('parameter "config": expected string_param, got bytes_param');
    expect(refusal({ config: {} })).toContain('parameter "config": expected string_param, got nothing');
    expect(refusal({ 'file:1/a': text('x') })).toContain('"file:1/a": expected bytes_param, got string_param');
    expect(refusal({ config: text(' '.repeat(1024 * 1024 + 1)) })).toContain('expected at most 1048576');
    const many = Array.from({ length: 1_001 }, (_, index) => [`file:1/${index}`, bytes('')] as const);
    expect(refusal(Object.fromEntries(many))).toContain('1001 file parameters given; expected at most 1000');
  });

  it('takes one version, each file once, and no configuration in another form', () => {
    expect(refusal({ 'file:1/a': bytes(''), 'file:2/b': bytes('') })).toContain('file parameters are of versions 1, 2');
    expect(refusal({ 'file:1/a': bytes(''), 'file:a': bytes('') })).toContain(
      '"file:1/a" and "file:a" are one file, a',
    );
    expect(refusal({ 'file:config.pbtxt': bytes('') })).toContain('"file:config.pbtxt" is not read: send');
  });
});
