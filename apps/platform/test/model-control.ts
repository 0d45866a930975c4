import { createRegistryClient } from '@sluice/client/registry-client';
import type { RegistryClient } from '@sluice/client/registry-client';
import { eventually } from '@sluice/testkit/eventually';
import { identityModel } from '@sluice/testkit/onnx-builder';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ForeignClient } from './foreign-client.ts';

const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64');
/** `y = x` for rows of three numbers. */
const graph = { bytesParam: base64(identityModel('FP32')) };
const config = (value: unknown) => ({ stringParam: typeof value === 'string' ? value : JSON.stringify(value) });

type Parameters = Readonly<Record<string, unknown>>;

/** What the tests need of a platform that runs, with version 1 of `accumulator` at `live`. */
export interface ControlledPlatform {
  readonly router: ForeignClient;
  readonly runtime: ForeignClient;
  /** Address of the registry. */
  readonly registry: string;
}

/** Tests of loading and unloading through the router, against a platform that runs meanwhile. */
export function modelControl(clients: () => ControlledPlatform): void {
  let router: ForeignClient;
  let ann: RegistryClient;
  beforeAll(() => {
    router = clients().router;
    ann = createRegistryClient(clients().registry, { actor: 'ann' });
  });
  afterAll(() => ann.close());

  const load = async (modelName: string, parameters: Parameters = {}) =>
    router.call('RepositoryModelLoad', { modelName, parameters });
  const unload = async (modelName: string, parameters: Parameters = {}) =>
    router.call('RepositoryModelUnload', { modelName, parameters });
  const ok = { code: 'OK', details: '', response: {} };
  const refused = (code: string, details: string) => ({ code, details: expect.stringContaining(details) as string });

  const isReady = async (name: string) => (await router.call('ModelReady', { name })).response['ready'] === true;
  async function index(name: string): Promise<string[]> {
    const models = (await router.call('RepositoryIndex')).response['models'] as Record<string, string>[];
    return models
      .filter((each) => each['name'] === name)
      .map(({ version, state, reason }) => `${version!} ${state!}${reason ? ` ${reason}` : ''}`);
  }
  async function configOf(name: string): Promise<Record<string, unknown>> {
    return (await router.call('ModelConfig', { name })).response['config'] as Record<string, unknown>;
  }
  async function top(name: string, values: readonly number[]): Promise<string> {
    const input = { name: 'x', datatype: 'FP32', shape: [1, 3], contents: { fp32Contents: values } };
    const outputs = [{ name: 'y', parameters: { classification: { int64Param: 1 } } }];
    const { response } = await router.call('ModelInfer', { modelName: name, inputs: [input], outputs });
    return Buffer.from((response['rawOutputContents'] as string[])[0]!, 'base64').toString('utf8', 4);
  }

  it('a load with files makes the model, with labels and settings, and answers when it is ready', async () => {
    const output = [{ name: 'y', data_type: 'TYPE_FP32', dims: [3], label_filename: 'labels.txt' }];
    const parameters = {
      'file:1/model.onnx': graph,
      'file:labels.txt': { bytesParam: base64('cat\ndog\nfox\n') },
      config: config({ max_batch_size: 8, output }),
    };
    expect(await load('pets', parameters)).toEqual(ok);
    expect(await isReady('pets')).toBe(true);
    expect(await index('pets')).toEqual(['1 READY']);
    expect(await top('pets', [0.5, 2, 1])).toBe('2.000000:1:dog');
    expect(await configOf('pets')).toMatchObject({ maxBatchSize: 8, output: [{ labelFilename: 'sluice.yaml' }] });
    const { version } = await ann.registry.getVersion({ model: 'pets', version: '1' });
    expect(version).toMatchObject({ pinned: true, createdBy: 'repository-control' });
    // Again: nothing is made.
    expect(await load('pets', parameters)).toEqual(ok);
    expect(await load('pets')).toEqual(ok);
    expect(await index('pets')).toEqual(['1 READY']);
  });

  it('a load with a config alone is another version of the same files; its own ModelConfig is one', async () => {
    expect(await load('pets', { config: config({ max_batch_size: '16', instance_group: [{ count: 1 }] }) })).toEqual(
      ok,
    );
    expect(await index('pets')).toEqual(['1 READY', '2 READY']);
    const own = await configOf('pets');
    expect(own).toMatchObject({ maxBatchSize: 16, parameters: { sluice_version: { stringValue: '2' } } });
    expect(await top('pets', [3, 2, 1])).toBe('3.000000:0:cat');
    expect(await load('pets', { config: config(own) })).toEqual(ok);
    expect(await load('pets', { config: config(own) })).toEqual(ok);
    expect(await configOf('pets')).toMatchObject({ maxBatchSize: 16, output: own['output'] });
    expect((await index('pets')).length).toBeLessThanOrEqual(3);
  });

  it('a ModelConfig of a model that keeps sequences can be sent back', async () => {
    const ofVersion = async (version: string) =>
      (await router.call('ModelConfig', { name: 'accumulator', version })).response['config'] as Parameters;
    const own = await ofVersion('live');
    expect(own['sequenceBatching']).toMatchObject({ state: [{ inputName: 'sum', outputName: 'next' }] });
    expect(await load('accumulator', { config: config({ ...own, maxBatchSize: 4 }) })).toEqual(ok);
    const made = await ofVersion('2');
    expect(made['maxBatchSize']).toBe(4);
    expect(made['sequenceBatching']).toEqual(own['sequenceBatching']);
  });

  it('what cannot be loaded says so, and pins nothing', async () => {
    expect(await load('nope')).toMatchObject(refused('NOT_FOUND', "failed to load 'nope', "));
    expect(await load('No such name', { 'file:1/model.onnx': graph })).toMatchObject(
      refused('INVALID_ARGUMENT', 'model: "No such'),
    );
    expect(await load('pets', { config: config('{') })).toMatchObject(
      refused('INVALID_ARGUMENT', "failed to load 'pets', config: not JSON"),
    );
    const damaged = { 'file:1/model.onnx': { bytesParam: base64('no graph') } };
    expect(await load('pets', damaged)).toMatchObject(refused('INVALID_ARGUMENT', "failed to load 'pets', "));
    const gpu = { config: config({ instance_group: [{ kind: 'KIND_GPU' }] }), 'file:1/model.onnx': graph };
    const failed = await load('gpu', gpu);
    expect(failed).toMatchObject(
      refused('FAILED_PRECONDITION', 'gpu version 1 cannot be loaded: no live runtime offers cuda'),
    );
    // The router hears of the version that was made for it, which nothing holds.
    await eventually(async () => expect(await index('gpu')).toEqual(['1 UNAVAILABLE unloaded']));
    const { version } = await ann.registry.getVersion({ model: 'gpu', version: '1' });
    expect(version!.pinned).toBe(false);
    const { model } = await ann.registry.getModel({ name: 'pets' });
    expect(Number(model!.versionCount)).toBeLessThanOrEqual(3);
  });

  it('an unload takes the pins away and is seen at once; a version that an alias holds stays', async () => {
    expect(await unload('nope')).toMatchObject(refused('NOT_FOUND', "failed to unload 'nope', "));
    expect(await unload('gpu')).toEqual(ok);
    expect(await unload('pets', { unload_dependents: { boolParam: true } })).toEqual(ok);
    expect(await isReady('pets')).toBe(false);
    expect(await unload('pets')).toEqual(ok);
    // Once the runtimes have let it go: a version that one of them has can be asked for.
    await eventually(async () => {
      for (const each of await index('pets')) expect(each.slice(2)).toBe('UNAVAILABLE unloaded');
    });
    expect(await load('pets')).toEqual(ok);
    const { move } = await ann.registry.moveAlias({ model: 'pets', alias: 'best', version: 1 });
    for await (const { done } of ann.registry.watchAliasMove({ moveId: move!.id })) if (done) break;
    expect(await unload('pets')).toMatchObject(
      refused('FAILED_PRECONDITION', "failed to unload 'pets', alias best holds version 1: take it away with"),
    );
    expect(await isReady('pets')).toBe(true);
  });

  it('is not a runtime’s', async () => {
    for (const method of ['RepositoryModelLoad', 'RepositoryModelUnload'])
      // An earlier test has killed that runtime, which its client may hear of with this call.
      await eventually(async () =>
        expect(await clients().runtime.call(method, { modelName: 'pets' })).toMatchObject(
          refused('UNIMPLEMENTED', 'ask the router'),
        ),
      );
  });
}
