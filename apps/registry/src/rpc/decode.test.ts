import type { CreateModelRequest__Output } from '@sluice/contracts/gen/sluice/registry/v1/CreateModelRequest';
import { registryService } from '@sluice/contracts/services';
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
    expect(sent(null)).toEqual({ owner: '', description: '', approvalsRequired: 1 });
    expect(sent({ owner: 'vision' })).toEqual({ owner: 'vision', description: '', approvalsRequired: 1 });
    expect(sent({ approvalsRequired: 1 }).approvalsRequired).toBe(1);
    expect(sent({ owner: 'vision', approvalsRequired: 0 }).approvalsRequired).toBe(0);
  });
});
