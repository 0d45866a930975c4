import fc from 'fast-check';
import { it } from 'vitest';
import { cutAt, cuts, mutate, mutation, partingStream } from './fuzz-streams.ts';
import { GrpcSide } from './grpc-side.ts';
import { fewerRuns } from './property-runs.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('handlers on streams of Node keep to the protocol whatever is done to the octets of their client', async () => {
  const property = fc.asyncProperty(
    partingStream,
    fc.array(mutation, { maxLength: 3 }),
    cuts,
    fc.integer({ min: 1, max: 40 }),
    async (frames, mutations, sizes, patience) => {
      const octets = mutations.reduce(mutate, Buffer.concat(frames));
      const side = new GrpcSide({
        ...{ limits: { streamWindow: 40_000, connectionWindow: 100_000 }, maxBuffered: 50_000 },
        surfaces: true,
      });
      let count = 0;
      for (const chunk of cutAt(octets, sizes)) {
        side.feed(chunk);
        if (count++ % patience === 0) await turn();
      }
      for (let turns = 0; turns < 10; turns++) {
        await turn();
        side.check();
      }
      side.finish();
      // What is left of handlers finds that their calls are over.
      for (let turns = 0; turns < 3; turns++) await turn();
      side.check();
    },
  );
  await fc.assert(property, fewerRuns(10));
});
