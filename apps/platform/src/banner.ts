import type { PlatformConfig } from './config.ts';
import type { PortTable } from './ports.ts';
import { host } from './ports.ts';

export type BannerTls = Pick<PlatformConfig, 'tlsCertFile' | 'tlsKeyFile' | 'tlsClientCaFile' | 'tlsCaFile'>;

export interface BannerInputs {
  readonly ports: PortTable;
  readonly home: string;
  readonly databaseFolder: string;
  /** Files of TLS, as in the settings; empty where there is none. */
  readonly tls: BannerTls;
  /** Whether npx finds buf and the command line. */
  readonly isClone: boolean;
  /** The example models whose champion moves without an approval. */
  readonly unapproved: readonly string[];
  /** Undefined without examples. */
  readonly example: Example | undefined;
}

/** The first row of the holdout set of `digits`. */
export interface Example {
  /** A request, as JSON of the protocol. */
  readonly request: string;
  /** What is true of it. */
  readonly label: string;
}

/** What a person can do next: commands to copy, and where things lie. */
export function banner(inputs: BannerInputs): string {
  const { ports, home, databaseFolder, tls, isClone, unapproved, example } = inputs;
  const request = example?.request;
  const { grpcurl, buf: bufFlags, scheme, cli: cliFlags, said } = tlsFlags(tls);
  const address = `${host}:${ports.router.port}`;
  const service = 'inference.GRPCInferenceService';
  const buf = `${isClone ? 'npx ' : ''}buf curl --protocol grpc ${bufFlags}`;
  // The command line knows the usual ports by itself.
  const registry = `${host}:${ports.registry.port}`;
  const feedback = `${host}:${ports.feedback.port}`;
  const addresses =
    ports.router.port === 8001 ? '' : ` --registry ${registry} --router ${address} --feedback ${feedback}`;
  const cli = `${isClone ? 'npx sluice' : 'sluice'}${addresses}${cliFlags}`;
  const lines = [
    '',
    'Sluice is running. Stop it with Ctrl-C; its data stays.',
    '',
    'List, describe and call by reflection, with grpcurl:',
    `  grpcurl ${grpcurl} ${address} list`,
    `  grpcurl ${grpcurl} ${address} describe ${service}`,
    `  grpcurl ${grpcurl} -d '{}' ${address} ${service}/ServerReady`,
    ...(request === undefined ? [] : [`  grpcurl ${grpcurl} -d '${request}' ${address} ${service}/ModelInfer`]),
    '',
    isClone ? 'The same with buf, which is installed here:' : 'The same with buf:',
    `  ${buf} --list-services ${scheme}://${address}`,
    `  ${buf} --list-methods ${scheme}://${address}`,
    `  ${buf} -d '{}' ${scheme}://${address}/${service}/ServerReady`,
    ...(request === undefined ? [] : [`  ${buf} -d '${request}' ${scheme}://${address}/${service}/ModelInfer`]),
    '',
    'With the command line:',
    `  ${cli} models`,
    ...(example === undefined ? [] : exampleCommands(cli, example)),
    '',
    `Ports   router ${ports.router.port}, registry ${ports.registry.port}, feedback ${ports.feedback.port}, runtimes ${ports.runtimes.map(({ port }) => port).join(' and ')}; each + 1 is /metrics, + 2 administration`,
    `Data    ${home} (Postgres in ${databaseFolder})`,
    `Logs    ${home}/logs`,
    ...(unapproved.length === 0
      ? []
      : [
          `The example models ${unapproved.join(' and ')} need no approvals (approvals 0): who moves their champion needs nobody else. Models that you push need one.`,
        ]),
    said,
    '',
  ];
  return `${lines.join('\n')}\n`;
}

/** Predicts, shows one prediction, says what was true of it, and shows it again: lines to copy one after the other. */
function exampleCommands(cli: string, { label }: Example): string[] {
  const infer = `  ${cli} infer digits examples/models/digits/holdout.csv --label-column label`;
  return [
    infer,
    '',
    'What is known of a prediction, a moment after its answer; and then whether it was right:',
    `${infer} --limit 1`,
    `  ${cli} predictions digits --limit 3`,
    `  ID=$(${cli} predictions digits --limit 1 --ids)`,
    `  ${cli} prediction show $ID`,
    `  printf 'prediction_id,label\\n%s,${label}\\n' $ID | ${cli} label -`,
    `  ${cli} feedback $ID --rating 5`,
    `  ${cli} prediction show $ID`,
  ];
}

/** How the clients of the banner are told of TLS, and what is said of who may call. */
function tlsFlags({ tlsCertFile, tlsKeyFile, tlsClientCaFile, tlsCaFile }: BannerTls) {
  const open = 'every port is open to this machine alone';
  if (tlsCertFile === '')
    return {
      ...{ grpcurl: '-plaintext', buf: '--http2-prior-knowledge', scheme: 'http', cli: '' },
      said: `Nobody is authenticated yet: the name behind a change is only noted, and ${open}.`,
    };
  const own = tlsClientCaFile === '' ? undefined : { cert: tlsCertFile, key: tlsKeyFile };
  return {
    grpcurl: `-cacert ${tlsCaFile}${own ? ` -cert ${own.cert} -key ${own.key}` : ''}`,
    buf: `--cacert ${tlsCaFile}${own ? ` --cert ${own.cert} --key ${own.key}` : ''}`,
    scheme: 'https',
    cli: ` --tls-ca-file ${tlsCaFile}${own ? ` --tls-cert-file ${own.cert} --tls-key-file ${own.key}` : ''}`,
    said: own
      ? `Callers show a certificate; the name behind a change is only noted, and ${open}.`
      : `Nobody is authenticated: the name behind a change is only noted, and ${open}.`,
  };
}
