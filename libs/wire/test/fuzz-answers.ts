import fc from 'fast-check';
import { HpackEncoder } from '../src/hpack/encoder.ts';
import { flags } from '../src/http2/frame-types.ts';
import { data, goaway, rstStream, settings, settingsAck, windowUpdate } from './frames.ts';
import { between, dataFrame, head, message, mix } from './fuzz-streams.ts';

/** An answer as a server that keeps to the protocol gives it. */
interface AnswerPlan {
  readonly interim: boolean;
  readonly messages: readonly number[];
  readonly padding: number;
  readonly ends: 'with trailers' | 'with data' | 'with its head' | 'by reset' | 'never';
  readonly cutBlock: number;
  readonly window: number;
}

const answerPlan: fc.Arbitrary<AnswerPlan> = fc.record({
  interim: fc.boolean(),
  messages: fc.array(fc.oneof(fc.nat(40), fc.nat(9000)), { maxLength: 3 }),
  padding: fc.constantFrom(0, 0, 3, 255),
  ends: fc.constantFrom('with trailers', 'with trailers', 'with data', 'with its head', 'by reset', 'never'),
  cutBlock: fc.constantFrom(0, 0, 3),
  window: fc.constantFrom(0, 1, 70_000),
});

const ok = ['content-type', 'application/grpc', 'grpc-status', '0'];

function* framesOf(plan: AnswerPlan, streamId: number, encoder: HpackEncoder): Generator<Buffer, void> {
  const block = (fields: readonly string[]): Buffer => Buffer.from(encoder.encode(fields));
  if (plan.window > 0) yield windowUpdate(streamId, plan.window);
  if (plan.interim) yield* head(streamId, block([':status', '103', 'x-early', '1']), false, plan.cutBlock);
  const alone = plan.ends === 'with its head';
  yield* head(streamId, block([':status', '200', ...ok.slice(0, alone ? 4 : 2)]), alone, plan.cutBlock);
  if (alone) return;
  for (const length of plan.messages)
    yield dataFrame(streamId, message(Buffer.alloc(length, `${streamId} `)), plan.padding, false);
  if (plan.ends === 'by reset') yield rstStream(streamId, plan.messages.length);
  else if (plan.ends === 'with data') yield data(streamId, '', flags.END_STREAM);
  else if (plan.ends === 'with trailers') yield* head(streamId, block(ok.slice(2)), true, plan.cutBlock);
}

/** Octets of a server that keeps to the protocol, to a client that has opened so many streams as there are numbers in `bodies`. */
export const answers = fc
  .record({
    plans: fc.array(answerPlan, { minLength: 1, maxLength: 6 }),
    bodies: fc.array(fc.constantFrom(0, 0, 1, 1000, 70_000, -1), { minLength: 6, maxLength: 6 }),
    others: fc.array(between, { maxLength: 6 }),
    picks: fc.array(fc.nat(1000), { maxLength: 40 }),
    away: fc.option(fc.tuple(fc.nat(40), fc.nat(12)), { freq: 4, nil: undefined }),
  })
  .map(({ plans, bodies, others, picks, away }) => {
    const encoder = new HpackEncoder(ok);
    const streams = plans.map((plan, at) => () => framesOf(plan, 2 * at + 1, encoder));
    const frames = [settings(), settingsAck(), ...mix(streams, others, picks)];
    return { bodies, frames: away === undefined ? frames : frames.toSpliced(2 + away[0], 0, goaway(away[1])) };
  });
