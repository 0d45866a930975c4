import { runtimeService } from '@sluice/contracts/services';
import type { RequestInput, RuntimeServiceMethods } from '@sluice/contracts/services';
import { failedPrecondition, SluiceError, unavailable } from '@sluice/domain/errors';
import type { VersionTarget } from '../route/table.ts';
import type { RuntimeLink } from '../runtimes/runtime-link.ts';

const method = Object.values(runtimeService.definition).find((each) => each.originalName === 'loadVersion')!;
/** For callers that name no deadline: as long as a load may take on a runtime by its watchdog. */
const longestLoadMs = 10 * 60_000;

/**
 * Brings a version back on the first of the runtimes that gave it up for others, as a request for it would.
 *
 * @param links those where requests wait for it; see `Fleet.onDemandFor`
 * @param nowMs milliseconds since the epoch
 * @throws SluiceError with the reason of the runtime, or the signal's
 */
export async function loadVersion(
  links: readonly Pick<RuntimeLink, 'ask' | 'runtimeId' | 'address'>[],
  version: Pick<VersionTarget, 'model' | 'text'>,
  call: { readonly nowMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const [link] = links;
  if (!link) throw unavailable(`version ${version.text}: the runtimes that had it are gone; try again`);
  const request: RequestInput<RuntimeServiceMethods['loadVersion']> = { model: version.model, version: version.text };
  const message = method.requestSerialize(request);
  const { error } = await link.ask(method.path, message, { deadlineMs: call.nowMs + longestLoadMs }, call.signal);
  if (call.signal.aborted) throw SluiceError.from(call.signal.reason);
  if (!error) return;
  const runtime = link.runtimeId || link.address;
  if (error.kind === 'unimplemented') {
    throw failedPrecondition(
      `${runtime} unloaded version ${version.text} to make room for others and is too old to be asked for it: an inference loads it again`,
    );
  }
  throw new SluiceError(error.kind, `${runtime}: ${error.message}`, { cause: error });
}
