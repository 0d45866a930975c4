// A process of its own: many connections of plain sockets. Each has greeted, has made one small call and has its answer; then it is
// quiet, but for pings that it answers. Says when all are there.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import process from 'node:process';
import { callHeaders, message } from '@sluice/wire/testing/attacker';
import { hello, parse, ping, settingsAck, type Parsed } from '@sluice/wire/testing/frames';
import { echoPath } from './echo-path.ts';
import type { IdleJob } from './idle-job.ts';

/** Made at once: the server's queue of new ones is not long. */
const atOnce = 200;
const flagOf = { ack: 1, endStream: 1 };
const greeting = Buffer.concat([
  hello(),
  settingsAck(),
  callHeaders(1, 'Echo', { ':path': echoPath }),
  message(1, Buffer.alloc(100, 'i'), true),
]);

/** Resolves when the call has its answer. */
async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  socket.write(greeting);
  let rest: Buffer = Buffer.alloc(0);
  await new Promise<void>((resolve, reject) => {
    socket.on('data', (octets: Buffer) => {
      const { frames, left } = whole(Buffer.concat([rest, octets]));
      rest = left;
      for (const { type, flags, payload } of frames) {
        if (type === 'PING' && !(flags & flagOf.ack)) socket.write(ping(flagOf.ack, payload.toString('hex')));
        if (type === 'HEADERS' && flags & flagOf.endStream) resolve();
        if (type === 'RST_STREAM' || type === 'GOAWAY') reject(new Error(`the server said ${type}`));
      }
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server ended a connection')));
  });
  return socket;
}

/** The frames that are there in full, and what follows them. */
function whole(octets: Buffer): { readonly frames: Parsed[]; readonly left: Buffer } {
  let end = 0;
  while (end + 9 <= octets.length && end + 9 + octets.readUIntBE(end, 3) <= octets.length)
    end += 9 + octets.readUIntBE(end, 3);
  return { frames: parse(octets.subarray(0, end)), left: octets.subarray(end) };
}

async function openAll({ port, connections }: IdleJob): Promise<void> {
  for (let left = connections; left > 0; left -= atOnce)
    await Promise.all(Array.from({ length: Math.min(atOnce, left) }, async () => open(port)));
  process.send?.({ open: connections });
}

process.on('message', (job: IdleJob) => void openAll(job));
process.on('disconnect', () => process.exit(0));
process.send?.({ port: 0 });
