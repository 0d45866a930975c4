/** What tests need of others: the library that is the peer, and the machine's clock, as whoever starts a server has them. */
// eslint-disable-next-line @nx/enforce-module-boundaries -- a peer that nobody here wrote
export { Client, Metadata, Server, ServerCredentials, credentials, status } from '@grpc/grpc-js';
// eslint-disable-next-line @nx/enforce-module-boundaries -- as above
export type { CallOptions, ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
// eslint-disable-next-line @nx/enforce-module-boundaries -- sockets run on real time
export { systemClock } from '@sluice/service-kit/clock';
