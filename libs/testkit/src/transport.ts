import { env } from 'node:process';

/** The gRPC stack that servers of tests stand on, as a setting of theirs; empty for their default. Suites hold on each. */
export const transportSetting = (): Readonly<Record<string, string>> =>
  env['SLUICE_TRANSPORT'] === undefined ? {} : { SLUICE_TRANSPORT: env['SLUICE_TRANSPORT'] };

/** The same for servers that are made in the test itself. */
export const transportName = (): 'grpc-js' | 'wire' => (env['SLUICE_TRANSPORT'] === 'wire' ? 'wire' : 'grpc-js');
