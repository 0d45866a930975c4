import { connect } from 'node:net';

/** What a port of gRPC says to a client of HTTP/1 before it hangs up: the stacks differ in that, and in nothing that their callers see. */
export async function toldHttp1(address: string): Promise<string> {
  const { hostname, port } = new URL(`http://${address}`);
  const socket = connect(Number(port), hostname);
  socket.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  let told = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => (told += chunk.toString('latin1')));
  await new Promise((resolve) => socket.once('close', resolve));
  return told;
}
