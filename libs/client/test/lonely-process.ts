import { argv } from 'node:process';
import type { OipClientOptions } from '../src/oip-client.ts';
import { createOipClient } from '../src/oip-client.ts';

// A program that does nothing but wait for a router that is away.
const transport = argv[2] as NonNullable<OipClientOptions['transport']>;
const client = createOipClient('127.0.0.1:1', { retryForMs: 400, transport });
try {
  await client.infer({ model: 'm', inputs: [] });
} catch (error) {
  process.stdout.write((error as Error).message);
}
client.close();
