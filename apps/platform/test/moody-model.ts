import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { digestFile } from '@sluice/client/files';
import { createRegistryClient } from '@sluice/client/registry-client';
import { adminService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { attribute, graph, model as onnx, node, onnxTypes, tensor, value } from '@sluice/testkit/onnx-builder';
import { expect } from 'vitest';
import type { RunningPlatform } from './running-platform.ts';

/** The model whose second version is not always in the mood. */
export const moody = 'moody';

const ends = (name: string) => value(name, 'FP32', ['batch', 2]);

/** Answers with what it gets. */
const always = onnx({
  graph: graph({ nodes: [node('Identity', ['x'], ['y'])], inputs: [ends('x')], outputs: [ends('y')] }),
});

/** Looks what it gets up in a table of two: it fails on any other than 0 and 1. */
const sometimes = onnx({
  graph: graph({
    nodes: [
      node('Cast', ['x'], ['index'], [attribute.int('to', onnxTypes.INT64)]),
      node('Gather', ['table', 'index'], ['y']),
    ],
    inputs: [ends('x')],
    outputs: [ends('y')],
    initializers: [tensor('table', 'FP32', [2], [10, 20])],
  }),
});

/** Pushes both versions, and makes the first one champion. */
export async function pushMoody(platform: RunningPlatform): Promise<void> {
  const client = createRegistryClient(`127.0.0.1:${platform.ports.registry.port}`, { actor: 'ann' });
  const { registry } = client;
  await registry.createModel({ name: moody, settings: { approvalsRequired: 0 } });
  for (const [name, content] of Object.entries({ 'always.onnx': always, 'sometimes.onnx': sometimes })) {
    const file = path.join(platform.home, name);
    await writeFile(file, content);
    await client.uploadFile(file);
    const files = [{ path: name, ...(await digestFile(file)) }];
    for await (const { version } of registry.createVersion({ model: moody, files }))
      if (version) expect([version.state, version.rejection]).toEqual(['VERSION_STATE_READY', '']);
  }
  await registry.moveAlias({ model: moody, alias: 'champion', version: 1 });
  client.close();
}

/** Requests that the router has sent to a runtime, by its place among them, which has not answered them. */
export async function inFlightAt(platform: RunningPlatform, runtime: number): Promise<number> {
  const { runtimes } = await routerState(platform);
  const { port } = platform.ports.runtimes[runtime]!;
  return runtimes.find(({ address }) => address.endsWith(`:${port}`))?.inFlight ?? 0;
}

/** On how many runtimes the router sees each version of the moody model. */
export async function moodyReadiness(platform: RunningPlatform): Promise<number[]> {
  const { models } = await routerState(platform);
  return models.find(({ name }) => name === moody)?.placed.map(({ readyOn }) => readyOn.length) ?? [];
}

interface RouterState {
  readonly runtimes: readonly { readonly address: string; readonly inFlight: number }[];
  readonly models: readonly {
    readonly name: string;
    readonly placed: readonly { readonly readyOn: readonly string[] }[];
  }[];
}

async function routerState({ ports }: RunningPlatform): Promise<RouterState> {
  const admin = createRpcClient(adminService, `127.0.0.1:${ports.router.adminPort}`, { clock: systemClock });
  try {
    return JSON.parse((await admin.getState({})).stateJson) as RouterState;
  } finally {
    admin.close();
  }
}
