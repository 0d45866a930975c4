export { SluiceError, errorKinds } from '@sluice/domain/errors';
export type { ErrorKind } from '@sluice/domain/errors';
export { RpcError } from '@sluice/rpc/status';
export type { FailureOrigin } from '@sluice/rpc/status';
