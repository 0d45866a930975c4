import type { StreamCodec } from '../src/handlers.ts';

/** A codec whose messages people can read: `<request> = <answer>`, `<request> ! <message of its failure>`. */
export const echoCodec: StreamCodec = {
  answer: (request, answer) => Buffer.concat([request, Buffer.from(' = '), ...answer]),
  failure: (request, message) => Buffer.from(`${request.toString()} ! ${message}`),
  endsAtFailure: (metadata) => metadata('ends-at-failure') === 'true',
};
