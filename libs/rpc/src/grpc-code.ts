import { status } from '@grpc/grpc-js';
import { statusName } from './status.ts';

/** A status code as grpc-js's own type. */
export const grpcCode = (code: number): status => status[statusName(code)];
