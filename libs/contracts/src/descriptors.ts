import { compiledFiles } from './gen/files.ts';

/** A compiled .proto file, exactly as buf compiled it (proto-loader's own descriptors have camel-case field names). */
export interface CompiledFile {
  readonly name: string;
  /** Bytes of a google.protobuf.FileDescriptorProto. */
  readonly bytes: Uint8Array;
}

/**
 * The files that declare the given services, with all that they import.
 *
 * @param services full names, such as `inference.GRPCInferenceService`; those of gRPC's health and reflection services
 * are known too.
 * @throws Error when a name is unknown
 */
export function filesOfServices(services: readonly string[]): CompiledFile[] {
  const byName = new Map(compiledFiles.map((file) => [file.name, file]));
  const wanted = new Set<string>();
  const add = (name: string): void => {
    const file = byName.get(name);
    if (file === undefined || wanted.has(name)) return;
    for (const dependency of file.imports) add(dependency);
    wanted.add(name);
  };
  for (const service of services) {
    const file = compiledFiles.find((candidate) => candidate.services.includes(service));
    if (file === undefined) throw new Error(`no compiled file declares the service ${service}`);
    add(file.name);
  }
  return [...wanted].map((name) => ({ name, bytes: Buffer.from(byName.get(name)!.base64, 'base64') }));
}
