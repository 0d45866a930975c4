import { SluiceError } from '@sluice/domain/errors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mutation, name, parameters, signatureFor, tensorParts } from '../test/arbitraries.ts';
import { propertyRuns } from '../test/fixtures.ts';
import { copyInput, inputStrings, parseInferRequest } from './infer-request.ts';
import { buildInferResponse, readInferResponse } from './infer-response.ts';
import { streamFailure } from './infer-stream.ts';
import { buildInferRequest } from './request-builder.ts';
import { scanInferRequest } from './scan.ts';

const numRuns = propertyRuns;

/** True when it returned, false when it refused as it should; anything else fails the property. */
function refusesWell(fn: () => void): boolean {
  try {
    fn();
    return true;
  } catch (error) {
    if (error instanceof SluiceError && error.kind === 'invalid-argument' && error.message !== '') return false;
    throw error;
  }
}

/** Puts bytes into the middle of a larger buffer, so that reading out of bounds would be seen as other values. */
function amid(bytes: Uint8Array): Uint8Array {
  const large = new Uint8Array(bytes.length + 64).fill(0x01);
  large.set(bytes, 32);
  return large.subarray(32, 32 + bytes.length);
}

describe('round trips', { timeout: 20_000 + 10 * propertyRuns }, () => {
  it('P1 a request that is built is parsed to the same', () => {
    fc.assert(
      fc.property(name, name, parameters, tensorParts, fc.boolean(), (modelName, id, pairs, inputs, dynamic) => {
        const request = buildInferRequest({ modelName, modelVersion: '7', id, parameters: new Map(pairs), inputs });
        const parsed = parseInferRequest(request, signatureFor(inputs, dynamic));
        expect(parsed).toMatchObject({ modelName, modelVersion: '7', id, parameters: new Map(pairs) });
        expect(scanInferRequest(request)).toEqual({ modelName, modelVersion: '7', id, parameters: new Map(pairs) });
        for (const [index, input] of parsed.inputs.entries()) {
          const copied = new Uint8Array(input.byteLength);
          copyInput(input, copied, 0);
          expect(copied).toEqual(new Uint8Array(inputs[index]!.data as Uint8Array));
          expect(input.shape).toEqual(inputs[index]!.shape);
        }
      }),
      { numRuns },
    );
  });

  it('P2 an answer that is built is read to the same', () => {
    fc.assert(
      fc.property(name, name, parameters, tensorParts, (modelName, id, pairs, outputs) => {
        const bytes = buildInferResponse({ modelName, modelVersion: '2', id, parameters: new Map(pairs), outputs });
        const read = readInferResponse(amid(bytes));
        expect(read).toMatchObject({ modelName, modelVersion: '2', id, parameters: new Map(pairs) });
        expect(read.outputs.map((output) => [output.name, output.datatype, output.shape, [...output.data]])).toEqual(
          outputs.map((output) => [output.name, output.datatype, output.shape, [...(output.data as Uint8Array)]]),
        );
      }),
      { numRuns },
    );
  });
});

describe('hostile bytes', { timeout: 20_000 + 10 * propertyRuns }, () => {
  it('P3 mutated requests are parsed or refused, never anything else', () => {
    let refused = 0;
    fc.assert(
      fc.property(name, parameters, tensorParts, mutation, (modelName, pairs, inputs, mutate) => {
        const request = buildInferRequest({ modelName, parameters: new Map(pairs), inputs });
        const bytes = amid(mutate(request));
        refusesWell(() => scanInferRequest(bytes));
        const ok = refusesWell(() => {
          const parsed = parseInferRequest(bytes, signatureFor(inputs, true));
          for (const input of parsed.inputs) {
            copyInput(input, new Uint8Array(input.byteLength), 0);
            if (input.datatype === 'BYTES') expect(inputStrings(input)).toHaveLength(input.elements);
          }
        });
        if (!ok) refused++;
      }),
      { numRuns },
    );
    expect(refused).toBeGreaterThan(numRuns / 10);
  });

  it('P4 mutated answers are read or refused, never anything else', () => {
    fc.assert(
      fc.property(parameters, tensorParts, mutation, (pairs, outputs, mutate) => {
        const bytes = buildInferResponse({
          modelName: 'm',
          modelVersion: '1',
          id: '',
          parameters: new Map(pairs),
          outputs,
        });
        refusesWell(() => readInferResponse(amid(mutate(bytes))));
      }),
      { numRuns },
    );
  });

  it('P5 bytes of any kind are read or refused', () => {
    const subject = signatureFor([{ name: 'x', datatype: 'FP32', shape: [1], data: new Uint8Array(4) }], true);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        refusesWell(() => scanInferRequest(amid(bytes)));
        refusesWell(() => parseInferRequest(amid(bytes), subject));
        refusesWell(() => readInferResponse(amid(bytes)));
      }),
      { numRuns },
    );
  });

  it('P6 every prefix of a request is parsed or refused', () => {
    const inputs = [{ name: 'x', datatype: 'BYTES', shape: [2], data: ['ab', 'cd'] }] as const;
    const request = buildInferRequest({
      modelName: 'm',
      id: 'i',
      parameters: new Map([['k', { kind: 'double', value: 1 }]]),
      inputs,
      outputs: ['x'],
    });
    for (let end = 0; end < request.length; end++) {
      const bytes = amid(request.subarray(0, end));
      refusesWell(() => scanInferRequest(bytes));
      expect(refusesWell(() => parseInferRequest(bytes, signatureFor(inputs, false)))).toBe(false);
    }
  });

  it('P7 a failure on a stream can be said of bytes of any kind, and names what can be read of them', () => {
    fc.assert(
      fc.property(
        name,
        name,
        tensorParts,
        mutation,
        fc.uint8Array({ maxLength: 80 }),
        (model, id, inputs, mutate, any) => {
          const request = buildInferRequest({ modelName: model, id, inputs });
          for (const bytes of [mutate(request), any]) {
            const said = streamFailure(amid(bytes), 'it failed');
            expect(said.subarray(2, 11).toString()).toBe('it failed');
            let header = { modelName: '', modelVersion: '', id: '' };
            if (refusesWell(() => scanInferRequest(amid(bytes)))) header = scanInferRequest(amid(bytes));
            else continue;
            // One field 2 behind it, which is an answer without tensors.
            const inner = buildInferResponse({ ...header, parameters: new Map(), outputs: [] });
            expect(said.subarray(said.length - inner.length)).toEqual(inner);
          }
        },
      ),
      { numRuns },
    );
  });
});
