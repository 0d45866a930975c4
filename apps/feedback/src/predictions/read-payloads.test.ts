import { describe, expect, it } from 'vitest';
import { unavailable } from '@sluice/domain/errors';
import { buildInferResponse } from '@sluice/inference/infer-response';
import { encodeTensor } from '@sluice/inference/tensor-data';
import type { PayloadAccess } from '../audit/payload-audit.ts';
import { plainPayloads } from '../payloads/payload-cipher.ts';
import type { PayloadCipher, SealedPayload } from '../payloads/payload-cipher.ts';
import type { StoredAttempt, StoredFeedback } from './prediction.ts';
import type { PayloadPorts } from './read-payloads.ts';
import { readPayloads } from './read-payloads.ts';

const response = buildInferResponse({
  ...{ modelName: 'm', modelVersion: '1', id: '' },
  outputs: [{ name: 'y', datatype: 'FP32', shape: [1], data: encodeTensor('FP32', [7]) }],
});
const mib = 1024 * 1024;

function world(own: Partial<PayloadPorts> = {}) {
  const log: (PayloadAccess | string)[] = [];
  const sealed: SealedPayload[] = [];
  const cipher: PayloadCipher = {
    ...plainPayloads,
    openAll: async (payloads) => {
      log.push('opened');
      sealed.push(...payloads);
      return payloads.map(({ keyId, bytes }) => (keyId === 'destroyed' ? undefined : bytes));
    },
  };
  const ports: PayloadPorts = {
    reader: {
      payloads: async (keys) => {
        log.push('read');
        return keys.map((key) => ({ ...key, request: undefined, response }));
      },
      texts: async () =>
        new Map([
          ['f1', Buffer.from('good')],
          ['f2', Buffer.from('gone')],
        ]),
    },
    cipher,
    audit: {
      record: async (access) => {
        log.push(access);
      },
    },
    facts: { version: async () => ({ state: 'away', error: unavailable('away') }) },
    ...own,
  };
  return { ports, log, sealed };
}

const attempt = (own: Partial<StoredAttempt> = {}): StoredAttempt =>
  ({
    ...{ retentionClass: 'long', predictionId: 'the-id', arm: 'cnn', attempt: 1, model: 'm', version: 1 },
    ...{ requestBytes: 0, responseBytes: response.length, payloadKeyId: undefined, versionDigest: '', ...own },
  }) as StoredAttempt;
const of = (attempts: readonly StoredAttempt[], feedback: readonly StoredFeedback[] = []) => ({
  ...{ predictionId: 'the-id', attempts, feedback },
});
const asked = { actor: 'anna', mostValues: 10 };

describe('payloads', () => {
  it('are read and opened after the access is noted, bound to their place', async () => {
    const { ports, log, sealed } = world();
    const [found] = (await readPayloads(ports, of([attempt({ payloadKeyId: 'key' })]), asked)).attempts;
    expect(log).toEqual([
      {
        ...{ actor: 'anna', action: 'ReadPayloads', object: 'prediction/the-id' },
        details: { call: 'GetPrediction', count: 1 },
      },
      ...['read', 'opened'],
    ]);
    expect(sealed).toEqual([{ keyId: 'key', bytes: response, context: 'evidence/the-id/cnn/1/response' }]);
    expect(found).toMatchObject({
      request: undefined,
      response: {
        ...{ tensors: [{ name: 'y' }], erased: false },
        problem: 'names of columns and classes are missing: the registry could not be asked',
      },
    });
  });

  it('are not touched where the access cannot be noted', async () => {
    const { ports, log } = world({ audit: { record: () => Promise.reject(unavailable('no outbox')) } });
    await expect(readPayloads(ports, of([attempt()]), asked)).rejects.toThrow('no outbox');
    expect(log).toEqual([]);
  });

  it('whose key is destroyed are erased', async () => {
    const { ports } = world();
    const found = (
      await readPayloads(ports, of([attempt(), attempt({ attempt: 2, payloadKeyId: 'destroyed' })]), asked)
    ).attempts;
    expect(found.map(({ response: of }) => [of!.erased, of!.tensors.length])).toEqual([
      [false, 1],
      [true, 0],
    ]);
  });

  it('of more than 16 MiB are left out, those that fit are not', async () => {
    const { ports, log } = world();
    const sizes = [9 * mib, 8 * mib, 7 * mib];
    const attempts = sizes.map((responseBytes, index) => attempt({ attempt: index + 1, responseBytes }));
    const found = (await readPayloads(ports, of(attempts), asked)).attempts;
    expect(found.map(({ response: of }) => of!.problem.startsWith('left out'))).toEqual([false, true, false]);
    expect(log[0]).toMatchObject({ details: { count: 2 } });
  });

  it('are texts of feedback too, bound to their item; one whose key is destroyed is not there', async () => {
    const { ports, log, sealed } = world();
    const item = (feedbackId: string, own: object = {}) =>
      ({ feedbackId, textState: 'kept', payloadKeyId: undefined, ...own }) as StoredFeedback;
    const feedback = [item('f1'), item('f2', { payloadKeyId: 'destroyed' }), item('f3', { textState: 'none' })];
    const { texts } = await readPayloads(ports, of([], feedback), asked);
    expect([...texts]).toEqual([['f1', 'good']]);
    expect(log[0]).toMatchObject({ details: { count: 2 } });
    expect(sealed.map(({ context }) => context)).toEqual(['feedback/f1', 'feedback/f2']);
  });
});
