import { describe, expect, it } from 'vitest';
import { SluiceError } from '@sluice/domain/errors';
import { buildInferRequest } from '@sluice/inference/request-builder';
import type { RawCall } from '@sluice/rpc/handlers';
import { systemClock } from '@sluice/service-kit/clock';
import type { ServingTable } from '../versions/serving-table.ts';
import { ByteBudget, bytesBesideMessage, predict } from './predict.ts';

describe('ByteBudget', () => {
  it('takes up to its limit exactly, refuses one byte more with a time to come back, and takes again what was released', () => {
    const budget = new ByteBudget(100);
    budget.take(60);
    budget.take(40);
    const refused = (): SluiceError => {
      try {
        budget.take(1);
      } catch (error) {
        return error as SluiceError;
      }
      throw new Error('was taken');
    };
    expect(refused()).toMatchObject({ kind: 'resource-exhausted', retryAfterMs: 100 });
    expect(refused().message).toContain('limit of 100');
    budget.release(40);
    budget.take(40);
    expect(budget.held).toBe(100);
  });

  it('lets one request pass that is larger than the limit, when it is alone', () => {
    const budget = new ByteBudget(100);
    budget.take(1000);
    expect(() => budget.take(1)).toThrow(SluiceError);
    budget.release(1000);
    expect(budget.held).toBe(0);
  });
});

describe('predict', () => {
  it('counts what a request costs beside its message, so that small ones cannot be without number', () => {
    const request = buildInferRequest({ modelName: 'm', inputs: [] });
    const budget = new ByteBudget(3 * (request.byteLength + bytesBesideMessage));
    const held: { released(): void }[] = [];
    const engine = {
      infer: (_bytes: Buffer, _deadline: number, answer: { released(): void }) => void held.push(answer),
    };
    const table = { engineFor: () => engine } as unknown as ServingTable;
    const handler = predict({ clock: systemClock, table: () => table, budget });
    const call = { deadlineMs: 0, onCancel: () => undefined } as unknown as RawCall;
    for (let count = 0; count < 3; count += 1) handler(request, call);
    expect(() => handler(request, call)).toThrow(/send them later/);
    held.pop()!.released();
    handler(request, call);
    expect(held).toHaveLength(3);
  });
});
