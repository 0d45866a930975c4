import { describe, expect, it } from 'vitest';
import { watch } from '@sluice/rpc/handlers';
import { checkingTexts } from './check-texts.ts';
import { decodeRuntime } from './decode.ts';

const stream = watch(async function* (request: unknown) {
  yield request;
});
const handlers = checkingTexts({ call: async (request: object) => request, follow: stream });

describe('texts of a request', () => {
  it('are refused with the field that the contract names', async () => {
    expect(await handlers.call({ a: 'fine', bytes: Buffer.from([0]), none: null })).toBeDefined();
    expect(() => handlers.call({ requestId: 'a\u0000' })).toThrow(/^request_id: /);
    expect(() => handlers.call({ settings: { owner: '\ud800' } })).toThrow(/^settings\.owner: /);
    expect(() => handlers.call({ files: [{ path: 'a' }, { graphPath: '\u0000' }] })).toThrow(
      /^files\[1\]\.graph_path: /,
    );
    expect(() => handlers.follow.watch({ pool: '\u0000' }, undefined as never)).toThrow(/^pool: /);
  });

  it('are kept as far as possible where a runtime says why it failed', async () => {
    const loaded = {
      model: 'm',
      version: '1',
      state: 'LOAD_STATE_FAILED',
      reason: `a\u0000${'x'.repeat(1_997)}\u{1F600}`,
      ...{ devicesAsked: 'cuda', devicesGot: '' },
    };
    const device = { name: 'cuda:0', state: 'DEVICE_STATE_MISSING', detail: `no\u0000 driver` };
    const request = {
      runtimeId: 'r',
      pool: 'p',
      address: 'h:1',
      appliedRevision: '0',
      ttlMs: 0,
      versions: [loaded],
      devices: [device],
    };
    await handlers.call(request);
    const decoded = decodeRuntime({ ...request, memoryBudgetBytes: '0', memoryUsedBytes: '0' } as never);
    expect(decoded.devices).toEqual([{ name: 'cuda:0', state: 'missing', detail: 'no\uFFFD driver' }]);
    expect(decoded.versions[0]?.reason).toBe(`a\uFFFD${'x'.repeat(1_997)}`);
  });
});
