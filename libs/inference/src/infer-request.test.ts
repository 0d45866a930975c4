import { describe, expect, it } from 'vitest';
import { field, fp32, input, messageOf, number, signature, tensor, varint } from '../test/fixtures.ts';
import { encodeStrings } from './bytes-tensor.ts';
import { copyInput, inputStrings, parseInferRequest } from './infer-request.ts';

const one = signature([tensor('x', 'FP32', [-1, 2])]);
const model = field(1, 'm');

function parse(subject = one, ...bytes: number[]) {
  return parseInferRequest(Uint8Array.from([...model, ...bytes]), subject);
}

function refusal(subject = one, ...bytes: number[]): string {
  const message = messageOf(() => parse(subject, ...bytes));
  expect(message).toMatch(/^invalid-argument: /);
  return message.slice('invalid-argument: '.length);
}

function bytesOf(subject = one, ...bytes: number[]): number[] {
  const parsed = parse(subject, ...bytes).inputs[0]!;
  const dest = new Uint8Array(parsed.byteLength + 2).fill(0xee);
  expect(copyInput(parsed, dest, 1)).toBe(parsed.byteLength);
  expect([dest[0], dest.at(-1)]).toEqual([0xee, 0xee]);
  return [...dest.subarray(1, -1)];
}

describe('parseInferRequest', () => {
  it('R1 gives header, rows, shape and a view of raw bytes', () => {
    const request = Uint8Array.from([
      ...field(7, fp32(1, 2, 3, 4, 5, 6)),
      ...field(3, 'id'),
      ...field(2, '2'),
      ...input('x', 'FP32', [3, 2]),
      ...model,
    ]);
    const parsed = parseInferRequest(request, one);
    expect(parsed).toMatchObject({ modelName: 'm', modelVersion: '2', id: 'id', rows: 3, outputs: [0] });
    expect(parsed.inputs[0]).toMatchObject({ datatype: 'FP32', shape: [3, 2], rows: 3, elements: 6, byteLength: 24 });
    expect(parsed.inputs[0]!.raw!.buffer).toBe(request.buffer);
  });

  it('R2 puts inputs into the order of the signature', () => {
    const two = signature([tensor('a', 'UINT8', [-1]), tensor('b', 'INT8', [-1])]);
    const parsed = parse(
      two,
      ...input('b', 'INT8', [1]),
      ...input('a', 'UINT8', [1]),
      ...field(7, [9]),
      ...field(7, [8]),
    );
    expect(parsed.inputs.map((each) => [each.spec.name, each.raw![0]])).toEqual([
      ['a', 8],
      ['b', 9],
    ]);
  });

  it('R3 takes scalars, empty tensors, zero rows and zero-sized dimensions', () => {
    const scalar = signature([tensor('x', 'FP32', [])], undefined, false);
    expect(parse(scalar, ...input('x', 'FP32', []), ...field(7, fp32(1))).inputs[0]).toMatchObject({
      elements: 1,
      rows: 1,
    });
    expect(parse(one, ...input('x', 'FP32', [0, 2]), ...field(7, []))).toMatchObject({ rows: 0 });
    expect(parse(one, ...input('x', 'FP32', [0, 2]))).toMatchObject({ rows: 0 });
    const wide = signature([tensor('x', 'INT64', [-1, -1])]);
    expect(parse(wide, ...input('x', 'INT64', [5, 0]), ...field(7, []))).toMatchObject({ rows: 5 });
    expect(refusal(wide, ...input('x', 'INT64', [70_000, 0]), ...field(7, []))).toContain(
      '70000 rows without elements',
    );
  });

  it('R4 takes shapes packed and unpacked', () => {
    const unpacked = field(5, [...field(1, 'x'), ...field(2, 'FP32'), ...number(3, 1), ...number(3, 2)]);
    expect(parse(one, ...unpacked, ...field(7, fp32(1, 2))).inputs[0]!.shape).toEqual([1, 2]);
  });

  it('R5 refuses unknown, missing, duplicate and misnamed tensors', () => {
    expect(refusal(one, ...input('z', 'FP32', [1, 2]), ...field(7, fp32(1, 2)))).toBe(
      "unexpected input 'z' for model 'm'; expected 'x'",
    );
    expect(refusal(one)).toBe("input 'x' for model 'm' is missing; expected 'x'");
    const twice = [...input('x', 'FP32', [1, 2]), ...field(7, fp32(1, 2))];
    expect(refusal(one, ...twice, ...twice)).toBe("input 'x' for model 'm' is there more than once");
    expect(refusal(one, ...field(5, [...field(1, [0xff]), ...field(2, 'FP32')]))).toContain(
      'inputs[0].name at byte 7: the text is not valid UTF-8',
    );
  });

  it('R6 refuses another datatype', () => {
    expect(refusal(one, ...input('x', 'FP64', [1, 2]), ...field(7, fp32(1, 2)))).toBe(
      "input 'x' for model 'm' has datatype 'FP64'; expected FP32",
    );
  });

  it('R7 refuses another rank or dimension, negative and overflowing dimensions', () => {
    const raw = field(7, fp32(1, 2));
    expect(refusal(one, ...input('x', 'FP32', [2]), ...raw)).toBe(
      "input 'x' for model 'm' has shape [2]; expected [-1,2]",
    );
    expect(refusal(one, ...input('x', 'FP32', [1, 3]), ...raw)).toContain('has shape [1,3]; expected [-1,2]');
    expect(refusal(one, ...input('x', 'FP32', [-1, 2]), ...raw)).toContain('negative dimension: shape[0] is -1');
    expect(refusal(one, ...input('x', 'FP32', [2n ** 62n, 2]), ...raw)).toContain('too many elements: at shape[0]');
    expect(refusal(one, ...input('x', 'FP32', [2 ** 30, 2]), ...raw)).toContain('too many elements: at shape[1]');
    expect(refusal(one, ...input('x', 'FP32', new Array<number>(65).fill(1)), ...raw)).toBe(
      'inputs[0].shape: more than 64 dimensions',
    );
  });

  it('R8 refuses bytes that do not match shape times type', () => {
    expect(refusal(one, ...input('x', 'FP32', [2, 2]), ...field(7, fp32(1, 2, 3)))).toBe(
      "input byte size mismatch for input 'x' for model 'm'. Expected 16, got 12",
    );
    expect(refusal(one, ...input('x', 'FP32', [1, 2], field(6, fp32(1))))).toBe(
      "input byte size mismatch for input 'x' for model 'm'. Expected 8, got 4",
    );
    expect(refusal(one, ...input('x', 'FP32', [1, 2]))).toContain('Expected 8, got 0');
  });

  it('R9 refuses raw and typed mixed, and another number of raw entries', () => {
    expect(refusal(one, ...input('x', 'FP32', [1, 2], field(6, fp32(1, 2))), ...field(7, fp32(1, 2)))).toBe(
      "inputs[0]: contents field must not be specified when using raw_input_contents for 'x' for model 'm'",
    );
    expect(refusal(one, ...input('x', 'FP32', [1, 2]), ...field(7, []), ...field(7, []))).toBe(
      "raw_input_contents for model 'm': expected 1 entries, one per input, got 2",
    );
  });

  it('R10 refuses contents in the field of another datatype', () => {
    expect(refusal(one, ...input('x', 'FP32', [1, 2], field(7, [])))).toContain('Expected 8, got 0');
    expect(refusal(one, ...input('x', 'FP32', [1, 2], number(2, 1)))).toBe(
      "input 'x' for model 'm': datatype FP32 takes fp32_contents, got int_contents",
    );
    const half = signature([tensor('x', 'FP16', [-1])]);
    expect(refusal(half, ...input('x', 'FP16', [1], field(6, fp32(1))))).toContain(
      'datatype FP16 takes raw_input_contents, its only form on the wire, got fp32_contents',
    );
  });

  it('R11 refuses unknown and duplicate requested outputs, and keeps their order', () => {
    const outputs = signature(one.inputs, [tensor('p', 'FP32', [-1]), tensor('q', 'FP32', [-1])]);
    const body = [...input('x', 'FP32', [1, 2]), ...field(7, fp32(1, 2))];
    const asks = (name: string) => field(6, field(1, name));
    expect(parse(outputs, ...body).outputs).toEqual([0, 1]);
    expect(parse(outputs, ...body, ...asks('q'), ...asks('p')).outputs).toEqual([1, 0]);
    expect(refusal(outputs, ...body, ...asks('r'))).toBe(
      "unexpected output 'r' requested of model 'm'; expected 'p', 'q'",
    );
    expect(refusal(outputs, ...body, ...asks('p'), ...asks('p'))).toBe(
      "output 'p' of model 'm' is requested more than once",
    );
  });

  it('R12 refuses inputs of one request that differ in rows', () => {
    const two = signature([tensor('a', 'UINT8', [-1]), tensor('b', 'UINT8', [-1])]);
    expect(
      refusal(two, ...input('a', 'UINT8', [1]), ...input('b', 'UINT8', [2]), ...field(7, [1]), ...field(7, [1, 2])),
    ).toBe("inputs of model 'm' differ in rows: 'a' has 1, 'b' has 2");
  });

  it('R13 refuses shared memory, classification of inputs and BOOL bytes above 1', () => {
    const entry = (key: string) => field(4, [...field(1, key), ...field(2, number(2, 1))]);
    const shared = field(5, [...field(1, 'x'), ...field(2, 'FP32'), ...entry('shared_memory_region')]);
    expect(refusal(one, ...shared)).toContain('inputs[0].parameters: shared memory is not supported');
    const classify = field(5, [...field(1, 'x'), ...field(2, 'FP32'), ...entry('classification')]);
    expect(refusal(one, ...classify)).toContain('inputs[0].parameters: classification is a parameter of outputs');
    const flags = signature([tensor('x', 'BOOL', [-1])]);
    expect(refusal(flags, ...input('x', 'BOOL', [2]), ...field(7, [1, 2]))).toContain('has the byte 2 as element 1');
  });
});

describe('typed contents', () => {
  it('T1 decodes packed and unpacked values of every datatype into raw form', () => {
    const cases: [Parameters<typeof tensor>[1], number[], number[], number[]][] = [
      ['BOOL', field(1, [1, 0]), [...number(1, 1), ...number(1, 0)], [1, 0]],
      ['INT8', field(2, [...varint(-1), 127]), [...number(2, -1), ...number(2, 127)], [0xff, 127]],
      ['INT16', field(2, [...varint(-2), 1]), [...number(2, -2), ...number(2, 1)], [0xfe, 0xff, 1, 0]],
      ['INT32', field(2, [...varint(-1), 2]), [...number(2, -1), ...number(2, 2)], [255, 255, 255, 255, 2, 0, 0, 0]],
      [
        'INT64',
        field(3, [...varint(-1), ...varint(2n ** 40n)]),
        [...number(3, -1), ...number(3, 2n ** 40n)],
        [255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 1, 0, 0],
      ],
      ['UINT8', field(4, [...varint(255), 0]), [...number(4, 255), ...number(4, 0)], [255, 0]],
      ['UINT16', field(4, [...varint(65535), 1]), [...number(4, 65535), ...number(4, 1)], [255, 255, 1, 0]],
      [
        'UINT32',
        field(4, [...varint(2n ** 31n), 1]),
        [...number(4, 2n ** 31n), ...number(4, 1)],
        [0, 0, 0, 128, 1, 0, 0, 0],
      ],
      [
        'UINT64',
        field(5, [...varint(2n ** 63n), 1]),
        [...number(5, 2n ** 63n), ...number(5, 1)],
        [0, 0, 0, 0, 0, 0, 0, 128, 1, 0, 0, 0, 0, 0, 0, 0],
      ],
      ['FP32', field(6, fp32(1.5, -2)), [0x35, ...fp32(1.5), 0x35, ...fp32(-2)], fp32(1.5, -2)],
      [
        'FP64',
        field(7, new Uint8Array(Float64Array.of(1.5, -2).buffer)),
        [...[1.5, -2]].flatMap((value) => [0x39, ...new Uint8Array(Float64Array.of(value).buffer)]),
        [...new Uint8Array(Float64Array.of(1.5, -2).buffer)],
      ],
    ];
    for (const [datatype, packed, unpacked, raw] of cases) {
      const subject = signature([tensor('x', datatype, [-1])]);
      expect(bytesOf(subject, ...input('x', datatype, [2], packed)), datatype).toEqual(raw);
      expect(bytesOf(subject, ...input('x', datatype, [2], unpacked)), datatype).toEqual(raw);
      expect(bytesOf(subject, ...input('x', datatype, [2]), ...field(7, raw)), datatype).toEqual(raw);
    }
  });

  it('T2 joins contents that come in several pieces', () => {
    const pieces = field(5, [
      ...field(5, field(6, fp32(1))),
      ...field(1, 'x'),
      ...field(2, 'FP32'),
      ...field(5, [0x35, ...fp32(2)]),
      ...field(3, [1, 2]),
    ]);
    expect(bytesOf(one, ...pieces)).toEqual(fp32(1, 2));
  });

  it('T3 refuses values out of the range of a narrow datatype, naming the element', () => {
    const narrow = (datatype: 'INT8' | 'UINT16') => signature([tensor('x', datatype, [-1])]);
    expect(refusal(narrow('INT8'), ...input('x', 'INT8', [2], field(2, [1, ...varint(128)])))).toBe(
      "input 'x' for model 'm': element 1 is 128; INT8 goes from -128 to 127",
    );
    expect(refusal(narrow('UINT16'), ...input('x', 'UINT16', [1], field(4, varint(65536))))).toContain(
      'element 0 is 65536; UINT16 goes from 0 to 65535',
    );
  });

  it('T4 refuses packed floats that are not whole, and truncated ones', () => {
    expect(refusal(one, ...input('x', 'FP32', [1, 2], field(6, [1, 2, 3])))).toContain(
      '3 bytes are not a multiple of 4',
    );
    expect(refusal(one, ...input('x', 'FP32', [1, 2], [0x35, 1, 2]))).toContain('expected 4 bytes, 2 are left');
  });

  it('T5 copies some of the elements', () => {
    const dest = new Uint8Array(8);
    const typed = parse(one, ...input('x', 'FP32', [3, 2], field(6, fp32(1, 2, 3, 4, 5, 6)))).inputs[0]!;
    expect(copyInput(typed, dest, 0, 2, 4)).toBe(8);
    expect([...dest]).toEqual(fp32(3, 4));
    const raw = parse(one, ...input('x', 'FP32', [3, 2]), ...field(7, fp32(1, 2, 3, 4, 5, 6))).inputs[0]!;
    copyInput(raw, dest, 0, 4, 6);
    expect([...dest]).toEqual(fp32(5, 6));
    expect(() => copyInput(raw, dest, 4, 4, 6)).toThrow(RangeError);
  });

  it('T6 copies into shared memory', () => {
    const dest = new Uint8Array(new SharedArrayBuffer(8));
    copyInput(parse(one, ...input('x', 'FP32', [1, 2]), ...field(7, fp32(1, 2))).inputs[0]!, dest, 0);
    expect([...dest]).toEqual(fp32(1, 2));
  });

  it('T7 copies nothing for bytes whose memory was given away, and says so', () => {
    const request = Uint8Array.from([...model, ...input('x', 'FP32', [1, 2]), ...field(7, fp32(1, 2))]);
    const parsed = parseInferRequest(request, one).inputs[0]!;
    request.buffer.transfer();
    expect(() => copyInput(parsed, new Uint8Array(8), 0)).toThrow('the input has 0 bytes, not 8: its message is gone');
  });
});

describe('BYTES', () => {
  const text = signature([tensor('x', 'BYTES', [-1])]);
  const raw = (...strings: string[]) => field(7, encodeStrings(strings));

  it('B1 gives the strings of raw and typed tensors, and their raw form', () => {
    const typed = input('x', 'BYTES', [3], [...field(8, 'a'), ...field(8, ''), ...field(8, 'é')]);
    const request = [...input('x', 'BYTES', [3]), ...raw('a', '', 'é')];
    expect(inputStrings(parse(text, ...typed).inputs[0]!)).toEqual(['a', '', 'é']);
    expect(inputStrings(parse(text, ...request).inputs[0]!)).toEqual(['a', '', 'é']);
    expect(bytesOf(text, ...typed)).toEqual(bytesOf(text, ...request));
    expect(inputStrings(parse(text, ...input('x', 'BYTES', [0])).inputs[0]!)).toEqual([]);
  });

  it('B2 refuses what ONNX Runtime cannot carry, naming the element', () => {
    expect(refusal(text, ...input('x', 'BYTES', [2]), ...raw('a', 'b\0c'))).toBe(
      "input 'x' for model 'm': element 1 contains a NUL byte, which the runtime cannot carry",
    );
    expect(refusal(text, ...input('x', 'BYTES', [1], field(8, [0xc0])))).toContain('element 0 is not valid UTF-8');
    expect(refusal(text, ...input('x', 'BYTES', [1]), ...field(7, [1, 0, 0, 0, 0xff]))).toContain(
      'element 0 is not valid UTF-8',
    );
  });

  it('B3 refuses lengths that do not fit and another number of elements', () => {
    expect(refusal(text, ...input('x', 'BYTES', [1]), ...field(7, [5, 0, 0, 0, 65]))).toContain(
      'element 0: expected 5 bytes, 1 are left in the tensor',
    );
    expect(refusal(text, ...input('x', 'BYTES', [2]), ...field(7, [0, 0, 0, 0, 1, 0]))).toContain(
      'element 1: its length is cut off',
    );
    expect(refusal(text, ...input('x', 'BYTES', [1]), ...field(7, [255, 255, 255, 255]))).toContain(
      'element 0: expected 4294967295 bytes',
    );
    expect(refusal(text, ...input('x', 'BYTES', [3]), ...raw('a', 'b'))).toContain('expected 3 elements, got 2');
    expect(refusal(text, ...input('x', 'BYTES', [1]), ...raw('a', 'b'))).toContain('but 5 bytes follow the last');
    expect(refusal(text, ...input('x', 'BYTES', [2], field(8, 'a')))).toContain('expected 2 elements, got 1');
  });
});
