import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { PlatformConfig } from './config.ts';
import type { DatabaseAddresses } from './database.ts';
import type { Program } from './layout.ts';
import { host } from './ports.ts';
import type { PortTable, ServicePorts } from './ports.ts';
import type { Secrets } from './secrets.ts';

/** One process of the platform: which program, and what it is told by its environment. */
export interface ServiceDefinition {
  readonly name: string;
  readonly program: Program;
  readonly settings: Readonly<Record<string, string>>;
}

export interface ServiceInputs {
  readonly config: PlatformConfig;
  /** Absolute. */
  readonly home: string;
  readonly ports: PortTable;
  readonly database: DatabaseAddresses;
  readonly secrets: Secrets;
}

function common(name: string, ports: ServicePorts, { config }: ServiceInputs): Record<string, string> {
  return {
    SLUICE_HOST: host,
    SLUICE_PORT: String(ports.port),
    SLUICE_METRICS_PORT: String(ports.metricsPort),
    SLUICE_ADMIN_PORT: String(ports.adminPort),
    SLUICE_INSTANCE_ID: name,
    SLUICE_LOG_LEVEL: config.logLevel,
    SLUICE_DRAIN_MS: String(config.drainMs),
    SLUICE_TLS_CERT_FILE: config.tlsCertFile,
    SLUICE_TLS_KEY_FILE: config.tlsKeyFile,
    SLUICE_TLS_CLIENT_CA_FILE: config.tlsClientCaFile,
    SLUICE_TLS_CA_FILE: config.tlsCaFile,
  };
}

/** What the registry and its migration are told. */
export function registrySettings(inputs: ServiceInputs): Record<string, string> {
  return {
    ...common('registry', inputs.ports.registry, inputs),
    SLUICE_DATABASE_URL: inputs.database.registryUrl,
    SLUICE_ARTIFACT_DIR: path.join(inputs.home, 'artifacts'),
    SLUICE_AUDIT_KEY_FILE: inputs.secrets.auditKeyFile,
  };
}

/** What feedback and its migration are told. */
export function feedbackSettings(inputs: ServiceInputs): Record<string, string> {
  return {
    ...common('feedback', inputs.ports.feedback, inputs),
    SLUICE_DATABASE_URL: inputs.database.feedbackUrl,
    SLUICE_REGISTRY: `${host}:${inputs.ports.registry.port}`,
    SLUICE_ARTIFACT_DIR: path.join(inputs.home, 'artifacts'),
    SLUICE_FEEDBACK_KEY_FILE: inputs.secrets.feedbackKeyFile,
  };
}

/** What a restarted model-server is told of its end: a version is not to blame for what somebody else did. */
export const lastEnd = (program: Program, last: string): Readonly<Record<string, string>> =>
  program === 'model-server' && last !== '' ? { SLUICE_LAST_END: last.slice(0, 200) } : {};

/** The services in the order in which they are started. They may start in any order; this one is quiet. */
export function serviceDefinitions(inputs: ServiceInputs): ServiceDefinition[] {
  const { config, home, ports } = inputs;
  const registryAddress = `${host}:${ports.registry.port}`;
  const threads = config.threads === 0 ? Math.floor(availableParallelism() / config.runtimes) : config.threads;
  const runtimes = ports.runtimes.map((own, index): ServiceDefinition => {
    const name = `runtime-${index + 1}`;
    const settings = {
      ...common(name, own, inputs),
      SLUICE_REGISTRY: registryAddress,
      SLUICE_TRANSPORT: config.transport,
      SLUICE_STATE_DIR: path.join(home, name),
      SLUICE_THREADS: String(Math.max(1, threads)),
    };
    return { name, program: 'model-server', settings };
  });
  const router = {
    ...common('router', ports.router, inputs),
    SLUICE_REGISTRY: registryAddress,
    SLUICE_FEEDBACK: `${host}:${ports.feedback.port}`,
    SLUICE_EVIDENCE_KEY_FILE: inputs.secrets.evidenceKeyFile,
    SLUICE_TRANSPORT: config.transport,
    SLUICE_STATE_DIR: path.join(home, 'router'),
  };
  return [
    { name: 'registry', program: 'registry', settings: registrySettings(inputs) },
    { name: 'feedback', program: 'feedback', settings: feedbackSettings(inputs) },
    ...runtimes,
    { name: 'router', program: 'router', settings: router },
  ];
}
