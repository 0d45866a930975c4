import { registryService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { clientTls } from './tls-files.ts';

/** What is kept of the requests of a model. */
export interface Capture {
  /** 0 to 1. */
  readonly rate: number;
  /** Whether requests and responses are kept; `default`: what a model has unless it says otherwise, small responses alone. */
  readonly payload: boolean | 'default';
  /** Answers wait for the disk. */
  readonly isDurable?: boolean;
}

/** Rows that are not about evidence are measured without it: what feedback and Postgres do is not theirs. */
export const noEvidence: Capture = { rate: 0, payload: false };

/**
 * Sets the capture policy of a model.
 *
 * @param caFile the authority of the registry's certificate; undefined: it has no TLS
 * @returns the revision that routers have to apply
 */
export async function setCapture(address: string, model: string, capture: Capture, caFile?: string): Promise<number> {
  const tls = clientTls(caFile);
  const registry = createRpcClient(registryService, address, { clock: systemClock, actor: 'bench', tls });
  const { rate, payload, isDurable = false } = capture;
  const response =
    payload === 'default' ? 'RESPONSE_CAPTURE_SMALL' : payload ? 'RESPONSE_CAPTURE_ALL' : 'RESPONSE_CAPTURE_NONE';
  const durability = isDurable ? 'DURABILITY_DURABLE' : 'DURABILITY_BEST_EFFORT';
  try {
    const { model: changed } = await registry.updateModel({
      name: model,
      capture: { rate, request: payload === true, response, durability, retentionClass: 'short' },
    });
    return Number(changed!.revision);
  } finally {
    registry.close();
  }
}
