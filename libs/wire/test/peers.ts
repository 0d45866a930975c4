/** What tests need of others: the library that is the peer, and the machine's clock, as whoever starts a server has them. */
// eslint-disable-next-line @nx/enforce-module-boundaries -- a peer that nobody here wrote
export { Client, Metadata, Server, ServerCredentials, credentials, status } from '@grpc/grpc-js';
// eslint-disable-next-line @nx/enforce-module-boundaries -- as above
export type { CallOptions, ClientDuplexStream, ClientReadableStream, ServiceError } from '@grpc/grpc-js';
// eslint-disable-next-line @nx/enforce-module-boundaries -- sockets run on real time
export { systemClock } from '@sluice/service-kit/clock';
// eslint-disable-next-line @nx/enforce-module-boundaries -- what mounts on grpc-js has to mount here
export { loadSync } from '@grpc/proto-loader';
// eslint-disable-next-line @nx/enforce-module-boundaries -- as above
export { ReflectionService } from '@grpc/reflection';
// eslint-disable-next-line @nx/enforce-module-boundaries -- as above
export { HealthImplementation, protoPath, service } from 'grpc-health-check';
