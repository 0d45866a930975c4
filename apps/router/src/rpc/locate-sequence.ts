import { runtimeService } from '@sluice/contracts/services';
import type { RequestInput, ResponseOutput, RuntimeServiceMethods } from '@sluice/contracts/services';
import type { SequenceQuestion } from '../route/sequences/search.ts';
import type { RuntimeLink } from '../runtimes/runtime-link.ts';

type Locate = RuntimeServiceMethods['locateSequence'];
const method = Object.values(runtimeService.definition).find((each) => each.originalName === 'locateSequence')!;

/**
 * Asks one runtime whether a sequence lives there, on the connection that inferences have.
 *
 * @param deadlineMs milliseconds since the epoch
 * @returns the version that it lives on; undefined when it does not
 * @throws SluiceError when the runtime does not say; unimplemented when it is older than sequences
 */
export async function locateSequence(
  link: RuntimeLink,
  question: SequenceQuestion,
  deadlineMs: number,
): Promise<number | undefined> {
  const { model, id, version } = question;
  const named = typeof id === 'string' ? { text: id } : { number: id.toString() };
  const request: RequestInput<Locate> = { model, ...named, version };
  const outcome = await link.ask(method.path, method.requestSerialize(request), { deadlineMs });
  if (outcome.error) throw outcome.error;
  const answer = method.responseDeserialize(outcome.message!) as ResponseOutput<Locate>;
  return answer.known ? Number(answer.version) : undefined;
}
