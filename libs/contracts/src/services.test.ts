import { describe, expect, it } from 'vitest';
import { filesOfServices } from './descriptors.ts';
import { generatorFlags, loaderOptions } from './options.ts';
import {
  adminService,
  auditService,
  inferenceService,
  registryService,
  runtimeService,
  watchService,
} from './services.ts';

const services = { adminService, auditService, inferenceService, registryService, runtimeService, watchService };

describe('services', () => {
  it.each(Object.entries(services))('%s has methods under its own path', (_name, service) => {
    const methods = Object.entries(service.definition);
    expect(methods.length).toBeGreaterThan(0);
    for (const [name, method] of methods) expect(method.path).toBe(`/${service.name}/${name}`);
  });

  it('carries values as the generated types say: camel case, 64-bit as strings, enums by name, defaults, null messages', () => {
    const { responseSerialize, responseDeserialize } = registryService.definition['GetVersion']!;
    const version = { number: '9007199254740993', state: 'VERSION_STATE_READY', graphPath: 'a.onnx', createdBy: 'ada' };
    expect(responseDeserialize(Buffer.from(responseSerialize({ version })))).toMatchObject({
      version: { ...version, pinned: false, files: [], rejection: '', signature: null },
    });
  });

  it('tells an absent optional field from one that is zero', () => {
    const { requestSerialize, requestDeserialize } = registryService.definition['UpdateModel']!;
    expect(requestDeserialize(requestSerialize({ name: 'm', approvalsRequired: 0 }))).toMatchObject({
      approvalsRequired: 0,
    });
    expect(requestDeserialize(requestSerialize({ name: 'm' }))).not.toHaveProperty('approvalsRequired');
  });

  it('has the same options for the generator as for the loader', () => {
    expect(loaderOptions.longs.name).toBe('String');
    expect(loaderOptions.enums.name).toBe('String');
    expect(generatorFlags).toEqual(expect.arrayContaining(['--longs=String', '--enums=String']));
    expect(generatorFlags.includes('--keepCase')).toBe(loaderOptions.keepCase);
    expect(generatorFlags.includes('--defaults')).toBe(loaderOptions.defaults);
    expect(generatorFlags.includes('--oneofs')).toBe(loaderOptions.oneofs);
  });
});

describe('filesOfServices', () => {
  it('gives the file of a service and what it imports, imports first', () => {
    expect(filesOfServices(['sluice.registry.v1.WatchService']).map((file) => file.name)).toEqual([
      'google/protobuf/timestamp.proto',
      'sluice/registry/v1/types.proto',
      'sluice/registry/v1/registry.proto',
      'sluice/registry/v1/watch.proto',
    ]);
  });

  it('knows the services of gRPC itself, and refuses unknown ones', () => {
    expect(filesOfServices(['grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection'])).toHaveLength(2);
    expect(() => filesOfServices(['no.Such'])).toThrow(/no\.Such/);
  });
});
