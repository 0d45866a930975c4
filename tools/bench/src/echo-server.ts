// A process of its own: the fastest unary echo that plain grpc-js makes, raw buffers in and out. It is the yardstick, so it
// goes round libs/rpc: what that adds must show in the ratio. Options are those that our own servers use.
import process from 'node:process';
// eslint-disable-next-line @nx/enforce-module-boundaries -- the yardstick is grpc-js itself
import { Server, ServerCredentials } from '@grpc/grpc-js';
// eslint-disable-next-line @nx/enforce-module-boundaries -- as above
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { echoPath } from './echo-path.ts';

const asIs = (value: Buffer): Buffer => value;

let answered = 0;
const handlers: UntypedServiceImplementation = {
  echo: (call: { request: Buffer }, done: (error: null, answer: Buffer) => void) => {
    answered++;
    done(null, call.request);
  },
};

const server = new Server({
  'grpc.enable_channelz': 0,
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
  'grpc-node.max_session_memory': Number.MAX_SAFE_INTEGER,
  'grpc-node.flow_control_window': 1024 * 1024,
});
server.addService(
  {
    echo: {
      path: echoPath,
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  },
  handlers,
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.send?.({ port });
});
// Asked anything, it says how many requests it has answered.
process.on('message', () => process.send?.({ answered }));
process.on('disconnect', () => server.forceShutdown());
