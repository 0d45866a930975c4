import { connect } from 'node:http2';

/** Reflection is asked for the file that has the service of inference, which has kilobytes. */
const symbol = 'inference.GRPCInferenceService';
const asked = Buffer.concat([Buffer.from([0x22, symbol.length]), Buffer.from(symbol)]);

/** A large answer of a service, as its octets come to a client that takes gzip; the first is 1 where it is compressed. */
export async function largeAnswer(address: string): Promise<Buffer> {
  const session = connect(`http://${address}`);
  try {
    const stream = session.request({
      ...{ ':method': 'POST', ':path': '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo' },
      ...{ 'content-type': 'application/grpc', te: 'trailers', 'grpc-accept-encoding': 'identity,gzip' },
    });
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(asked.length, 1);
    stream.end(Buffer.concat([prefix, asked]));
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(piece as Buffer);
    return Buffer.concat(pieces);
  } finally {
    session.close();
  }
}
