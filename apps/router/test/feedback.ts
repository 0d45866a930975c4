import { ingestService } from '@sluice/contracts/services';
import { unpackBlocks } from '@sluice/evidence/packed-blocks';
import { readBlock } from '@sluice/evidence/read-block';
import type { EvidenceRecord } from '@sluice/evidence/record';
import { createRpcServer } from '@sluice/rpc/server';
import { systemClock } from '@sluice/service-kit/clock';
import { createMetrics } from '@sluice/telemetry/metrics';
import { recordingLogger } from './doubles.ts';
import { onEnd } from './world.ts';

/** A feedback over real gRPC that has no database: what it got, and what it says of it. */
export async function testFeedback(port: number, protocolVersion = 2) {
  const received: EvidenceRecord[] = [];
  /** How blocks came: alone, or so many together. */
  const messages: (number | 'alone')[] = [];
  const hellos: string[] = [];
  const followed: number[] = [];
  let isStoring = true;
  let erasures = 0;
  const { logger } = recordingLogger();
  const metrics = createMetrics({ service: 'feedback', instanceId: 'f', processMetrics: false });
  const server = createRpcServer({ logger, metrics, clock: systemClock });
  server.addService(ingestService, {
    ingest: async function* (requests) {
      for await (const { hello, block, blocks, erasuresApplied } of requests) {
        const packed = blocks && [...unpackBlocks({ position: Number(blocks.position), blocks: blocks.blocks })];
        for (const each of packed ?? []) received.push(...readBlock(each.block));
        if (packed) messages.push(packed.length);
        if (block) messages.push('alone');
        const position = packed?.at(-1)?.position ?? block?.position ?? 0;
        if (erasuresApplied) followed.push(Number(erasuresApplied.number));
        if (hello) hellos.push(`${hello.routerId} ${hello.spoolId}`);
        if (block) received.push(...readBlock(block.block));
        if (hello ?? isStoring) yield { acknowledged: position, protocolVersion, windowBytes: 1_000_000, erasures };
      }
    },
  });
  await server.bind('127.0.0.1', port);
  onEnd(() => server.tryShutdown(0));
  return {
    ...{ received, messages, hellos, followed },
    forget: () => void (isStoring = false),
    remember: () => void (isStoring = true),
    erase: (number: number) => void (erasures = number),
  };
}
