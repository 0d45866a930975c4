import { describe, expect, it } from 'vitest';
import { MemoryRepository, anyCall } from '../../test/memory-repository.ts';
import { loadModel } from './load-model.ts';
import type { LoadParameters } from './load-parameters.ts';
import type { RepositoryModel } from './repository.ts';

const nothing: LoadParameters = { config: undefined, files: [] };
const configOf = (config: unknown): LoadParameters => ({ config: JSON.stringify(config), files: [] });
const file = (path: string, text: string) => ({ given: `1/${path}`, path, bytes: Buffer.from(text) });
const release = (implicit: boolean, ...versions: number[]): RepositoryModel['release'] => ({
  id: 'r1',
  implicit,
  versions,
});

/** Loads, and says what was waited for: version and revision. */
async function load(repository: MemoryRepository, parameters: LoadParameters): Promise<string> {
  let waited = '';
  const whenReady = async (model: string, version: number, revision: number) => {
    waited = `${model}@${version} of ${revision}`;
  };
  await loadModel({ repository, whenReady }, 'm', parameters, anyCall());
  return waited;
}

const failure = async (repository: MemoryRepository, parameters: LoadParameters): Promise<string> =>
  load(repository, parameters).then(
    () => 'none',
    (error: unknown) => `${(error as { kind: string }).kind}: ${(error as Error).message}`,
  );

describe('a load without parameters', () => {
  it('pins the highest version that is ready, and waits for the routes that have the pin', async () => {
    const repository = new MemoryRepository();
    repository.add(1, { 'model.onnx': 'a' }, { pinned: true });
    repository.add(2, { 'model.onnx': 'b' });
    repository.add(3, { 'model.onnx': 'c' }, { state: 'rejected' });
    repository.add(4, { 'model.onnx': 'd' }, { state: 'admitting' });
    expect(await load(repository, nothing)).toBe('m@2 of 11');
    expect(repository.log).toEqual(['pin 2 by repository-control']);
  });

  it('pins nothing where a champion or a person’s release says what answers', async () => {
    const repository = new MemoryRepository();
    repository.add(1, { 'model.onnx': 'a' });
    repository.add(2, { 'model.onnx': 'b' });
    const other = { alias: 'old', version: 2 };
    repository.model_ = { aliases: [other, { alias: 'champion', version: 1 }], moves: [], release: release(true, 1) };
    expect(await load(repository, nothing)).toBe('m@1 of 0');
    repository.model_ = { aliases: [], moves: [], release: release(false, 2, 1) };
    expect(await load(repository, nothing)).toBe('m@2 of 0');
    expect(repository.log).toEqual([]);
    // Routes of before these would say that it is placed nowhere, or quarantined still.
    repository.modelRevision = 7;
    expect(await load(repository, nothing)).toBe('m@2 of 7');
    repository.add(3, { 'model.onnx': 'c' }, { revision: 9 });
    repository.model_ = { aliases: [{ alias: 'champion', version: 3 }], moves: [], release: undefined };
    expect(await load(repository, nothing)).toBe('m@3 of 9');
    repository.versionList.pop();
    // What follows from a pin is no such wish.
    repository.model_ = { aliases: [other], moves: [], release: release(true, 1) };
    expect(await load(repository, nothing)).toBe('m@2 of 11');
  });

  it('says that there is no model, or no version to load', async () => {
    const repository = new MemoryRepository();
    expect(await failure(repository, nothing)).toContain('not-found: model: there is no model "m"');
    repository.model_ = { aliases: [], moves: [], release: undefined };
    expect(await failure(repository, nothing)).toContain('failed-precondition: no version of it is ready; push one');
    repository.add(7, { 'model.onnx': 'a' }, { state: 'rejected' });
    expect(await failure(repository, nothing)).toContain('no version of it is ready: version 7 is rejected');
  });
});

describe('a load with files', () => {
  it('makes the model and a version of them, with a sluice.yaml that the config makes', async () => {
    const repository = new MemoryRepository();
    const files = [file('model.onnx', 'graph'), file('weights.bin', 'w'), file('names.txt', 'cat\r\ndog\nfox\n\n')];
    const output = [{ name: 'y', label_filename: 'names.txt' }];
    const parameters = { config: JSON.stringify({ max_batch_size: 4, output }), files };
    expect(await load(repository, parameters)).toBe('m@1 of 11');
    expect(repository.log).toEqual([
      'push model.onnx+weights.bin+names.txt+sluice.yaml',
      'pin 1 by repository-control',
    ]);
    expect(JSON.parse(repository.text(1, 'sluice.yaml')!)).toEqual({
      batching: { max_batch_size: 4 },
      signature: { outputs: [{ name: 'y', class_names: ['cat', 'dog', 'fox'] }] },
    });
    // The same content is the same version, whoever sends it again.
    expect(await load(repository, parameters)).toBe('m@1 of 12');
    expect(repository.versionList).toHaveLength(1);
  });

  it('follows the admission of what an earlier caller sent, and pushes again what was rejected', async () => {
    const repository = new MemoryRepository();
    const parameters = { config: undefined, files: [file('model.onnx', 'graph')] };
    repository.add(1, { 'model.onnx': 'graph' }, { state: 'admitting' });
    expect(await load(repository, parameters)).toBe('m@1 of 11');
    expect(repository.log).toEqual(['follow 1', 'pin 1 by repository-control']);
    repository.versionList[0] = { ...repository.versionList[0]!, state: 'rejected' };
    expect(await load(repository, parameters)).toBe('m@2 of 12');
  });

  it('pins nothing that admission rejects, or that is not what the config says', async () => {
    const repository = new MemoryRepository();
    repository.admission = { state: 'rejected', rejection: 'no such operator' };
    const files = [file('model.onnx', 'graph')];
    expect(await failure(repository, { config: undefined, files })).toBe(
      'failed-precondition: admission rejected m version 1: no such operator',
    );
    repository.admission = { state: 'ready', rejection: '' };
    const config = JSON.stringify({ input: [{ name: 'x', data_type: 'TYPE_INT32' }] });
    expect(await failure(repository, { config, files })).toContain('config.input[0].data_type: the graph has FP32');
    expect(repository.log.filter((line) => line.startsWith('pin'))).toEqual([]);
  });

  it('takes a graph of another name, and tells versions apart by it', async () => {
    const repository = new MemoryRepository();
    const files = [file('a.onnx', 'one'), file('b.onnx', 'two')];
    const named = (graph: string) => ({ config: JSON.stringify({ default_model_filename: graph }), files });
    expect(await load(repository, named('a.onnx'))).toBe('m@1 of 11');
    expect(await load(repository, named('b.onnx'))).toBe('m@2 of 12');
    expect(await load(repository, named('a.onnx'))).toBe('m@1 of 13');
    expect(repository.versionList.map(({ graphPath }) => graphPath)).toEqual(['a.onnx', 'b.onnx']);
  });

  it('refuses a label file that is not there, and two that say how to run it', async () => {
    const repository = new MemoryRepository();
    const output = [{ name: 'y', label_filename: 'names.txt' }];
    expect(
      await failure(repository, { config: JSON.stringify({ output }), files: [file('model.onnx', 'g')] }),
    ).toContain('config.output[0].label_filename: the version has no file "names.txt"');
    expect(
      await failure(repository, { config: '{}', files: [file('model.onnx', 'g'), file('sluice.yaml', '')] }),
    ).toContain('parameters "config" and "file:sluice.yaml" both');
  });
});

describe('a load with a config alone', () => {
  const yaml = 'description: three\nbatching: { max_batch_size: 8, preferred_batch_size: [4, 8] }\n';

  it('makes a version of the same files that is run so, and keeps what it does not name', async () => {
    const repository = new MemoryRepository();
    repository.add(1, { 'model.onnx': 'a', 'sluice.yaml': yaml });
    expect(await load(repository, configOf({ max_batch_size: '16' }))).toBe('m@2 of 11');
    expect(JSON.parse(repository.text(2, 'sluice.yaml')!)).toEqual({
      description: 'three',
      batching: { max_batch_size: 16, preferred_batch_size: [4, 8] },
    });
    expect(repository.text(2, 'model.onnx')).toBe('a');
    expect(await load(repository, configOf({ max_batch_size: 16 }))).toBe('m@2 of 12');
    expect(repository.versionList).toHaveLength(2);
  });

  it('is of the version that answers, and of that itself when it says nothing new', async () => {
    const repository = new MemoryRepository();
    repository.add(1, { 'model.onnx': 'a', 'sluice.yaml': yaml });
    repository.add(2, { 'model.onnx': 'b' });
    repository.model_ = { aliases: [{ alias: 'champion', version: 1 }], moves: [], release: release(true, 1) };
    expect(await load(repository, configOf({ maxBatchSize: 8, platform: 'onnxruntime_onnx' }))).toBe('m@1 of 11');
    expect(await load(repository, configOf({}))).toBe('m@1 of 12');
    repository.model_ = { aliases: [], moves: [], release: undefined };
    expect(await load(repository, configOf({}))).toBe('m@2 of 13');
    expect(repository.versionList).toHaveLength(2);
  });

  it('makes nothing when it contradicts the graph', async () => {
    const repository = new MemoryRepository();
    repository.add(1, { 'model.onnx': 'a' });
    expect(await failure(repository, configOf({ max_batch_size: 2, input: [{ name: 'z' }] }))).toContain(
      'invalid-argument: config.input[0].name: the graph has no input "z"; it has x',
    );
    expect(await failure(new MemoryRepository(), configOf({}))).toContain('not-found');
    expect(repository.versionList).toHaveLength(1);
  });
});
