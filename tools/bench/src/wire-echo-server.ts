// A process of its own: the same echo on libs/wire, raw buffers in and out; with TLS when it is given files of a certificate and its key.
import process from 'node:process';
import { systemClock } from '@sluice/service-kit/clock';
import { collectGarbage } from '@sluice/service-kit/collect-garbage';
import { WireServer } from '@sluice/wire/server/wire-server';
import { echoPath } from './echo-path.ts';
import { serverTls } from './tls-files.ts';
import { wireEcho } from './wire-echo.ts';

let answered = 0;
const server = new WireServer({ clock: systemClock });
server.register(
  echoPath,
  wireEcho(() => answered++),
);
const [cert, key] = process.argv.slice(2);
const tls = cert !== undefined && key !== undefined ? serverTls({ cert, key }) : undefined;
process.send?.({ port: await server.listen('127.0.0.1', 0, tls) });
// Asked anything, it says how many requests it has answered; `collect` has it give back what is garbage first.
process.on('message', (question) => {
  if (question === 'collect') collectGarbage();
  process.send?.({ answered, connections: server.connections });
});
process.on('disconnect', () => {
  server.close();
});
