import type { PortTable } from './ports.ts';
import { host } from './ports.ts';

export interface BannerInputs {
  readonly ports: PortTable;
  readonly home: string;
  readonly databaseFolder: string;
  /** Whether npx finds buf and the command line. */
  readonly isClone: boolean;
  /** The example models whose champion moves without an approval. */
  readonly unapproved: readonly string[];
  /** A request for `digits` as JSON of the protocol; undefined without examples. */
  readonly request: string | undefined;
}

/** What a person can do next: commands to copy, and where things lie. */
export function banner({ ports, home, databaseFolder, isClone, unapproved, request }: BannerInputs): string {
  const address = `${host}:${ports.router.port}`;
  const service = 'inference.GRPCInferenceService';
  const buf = `${isClone ? 'npx ' : ''}buf curl --protocol grpc --http2-prior-knowledge`;
  // The command line knows the usual ports by itself.
  const registry = `${host}:${ports.registry.port}`;
  const addresses = ports.router.port === 8001 ? '' : ` --registry ${registry} --router ${address}`;
  const cli = `${isClone ? 'npx sluice' : 'sluice'}${addresses}`;
  const lines = [
    '',
    'Sluice is running. Stop it with Ctrl-C; its data stays.',
    '',
    'List, describe and call by reflection, with grpcurl:',
    `  grpcurl -plaintext ${address} list`,
    `  grpcurl -plaintext ${address} describe ${service}`,
    `  grpcurl -plaintext -d '{}' ${address} ${service}/ServerReady`,
    ...(request === undefined ? [] : [`  grpcurl -plaintext -d '${request}' ${address} ${service}/ModelInfer`]),
    '',
    isClone ? 'The same with buf, which is installed here:' : 'The same with buf:',
    `  ${buf} --list-services http://${address}`,
    `  ${buf} --list-methods http://${address}`,
    `  ${buf} -d '{}' http://${address}/${service}/ServerReady`,
    ...(request === undefined ? [] : [`  ${buf} -d '${request}' http://${address}/${service}/ModelInfer`]),
    '',
    'With the command line:',
    `  ${cli} models`,
    ...(request === undefined ? [] : [`  ${cli} infer digits examples/models/digits/holdout.csv --label-column label`]),
    '',
    `Ports   router ${ports.router.port}, registry ${ports.registry.port}, runtimes ${ports.runtimes.map(({ port }) => port).join(' and ')}; each + 1 is /metrics, + 2 administration`,
    `Data    ${home} (Postgres in ${databaseFolder})`,
    `Logs    ${home}/logs`,
    ...(unapproved.length === 0
      ? []
      : [
          `The example models ${unapproved.join(' and ')} need no approvals (approvals 0): who moves their champion needs nobody else. Models that you push need one.`,
        ]),
    'Nobody is authenticated yet: the name behind a change is only noted, and every port is open to this machine alone.',
    '',
  ];
  return `${lines.join('\n')}\n`;
}
