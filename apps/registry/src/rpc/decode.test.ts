import type { CreateModelRequest__Output } from '@sluice/contracts/gen/sluice/registry/v1/CreateModelRequest';
import { registryService } from '@sluice/contracts/services';
import { defaultCapture } from '@sluice/domain/capture';
import { defaultLabels } from '@sluice/domain/label-policy';
import { describe, expect, it } from 'vitest';
import { decodeSettings } from './decode.ts';

/** Settings as they arrive when a client sends these. */
function sent(settings: Readonly<Record<string, unknown>> | null) {
  const { requestSerialize, requestDeserialize } = registryService.definition['CreateModel']!;
  const request = requestDeserialize(requestSerialize({ name: 'm', settings })) as CreateModelRequest__Output;
  return decodeSettings(request.settings);
}

describe('the settings of a model that is made', () => {
  it('ask for an approval unless the caller says otherwise', () => {
    const unsaid = { owner: '', description: '', approvalsRequired: 1, capture: defaultCapture, labels: defaultLabels };
    expect(sent(null)).toEqual(unsaid);
    expect(sent({ owner: 'vision' })).toEqual({ ...unsaid, owner: 'vision' });
    expect(sent({ approvalsRequired: 1 }).approvalsRequired).toBe(1);
    expect(sent({ owner: 'vision', approvalsRequired: 0 }).approvalsRequired).toBe(0);
  });

  it('have no capture policy: its rate would be 0 where nobody gave one', () => {
    expect(() => sent({ capture: { retentionClass: 'short' } })).toThrow(
      /^settings.capture: .* `capture` of the request/,
    );
  });
});
