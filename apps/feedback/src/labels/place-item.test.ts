import { describe, expect, it } from 'vitest';
import { predictionsOf } from './place-item.ts';
import type { StoredAnswer } from './ports.ts';

const answer = (own: Partial<StoredAnswer>): StoredAnswer => ({
  ...{ predictionId: 'p', class: 'standard', arm: 'cnn', attempt: 1, status: 0, answered: true, rows: 2 },
  ...{ model: 'digits', version: 3, versionDigest: '', releaseId: '', role: null, subject: '', keepProbability: 1 },
  ...{ receivedAt: '', recordedXid: '10', responseState: 'none', payloadKeyId: undefined, response: undefined },
  ...own,
});

describe('a prediction of its records', () => {
  it('is of the class of the one that came first, and of the model of the one that the caller got', () => {
    const shadow = answer({
      arm: 'shadow',
      model: 'price',
      answered: false,
      class: 'short',
      recordedXid: '9',
      rows: 0,
    });
    const failed = answer({ arm: 'old', model: 'older', answered: false, status: 14 });
    const given = answer({});
    for (const records of [
      [shadow, failed, given],
      [given, failed, shadow],
    ])
      expect(predictionsOf(records).get('p')).toMatchObject({
        ...{ class: 'short', model: 'digits', rows: 2, deciding: [given] },
      });
    expect(predictionsOf([failed, shadow]).get('p')).toMatchObject({ model: 'price', deciding: [failed, shadow] });
  });
});
