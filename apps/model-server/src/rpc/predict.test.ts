import { describe, expect, it } from 'vitest';
import { SluiceError } from '@sluice/domain/errors';
import { ByteBudget } from './predict.ts';

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
