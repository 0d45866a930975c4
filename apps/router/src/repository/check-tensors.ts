import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import type { ConfigOverride, ConfigTensor } from './model-config.ts';
import type { RepositoryTensor, RepositoryVersion } from './repository.ts';

type Graph = Pick<RepositoryVersion, 'inputs' | 'outputs' | 'batched'>;

/**
 * Holds what a `config` says of tensors to what the graph has: names, datatypes and dims, which leave the batch dimension
 * out where `max_batch_size` is not 0. Tensors that it does not name are as the graph has them.
 *
 * @throws SluiceError invalid-argument naming the field, what the graph has and what came
 */
export function checkTensors(config: ConfigOverride, graph: Graph): void {
  const batching = graph.batched && config.maxBatchSize !== 0;
  for (const [tensors, specs, what] of [
    [config.inputs, graph.inputs, 'input'],
    [config.outputs, graph.outputs, 'output'],
  ] as const) {
    for (const tensor of tensors) {
      const spec = specs.find(({ name }) => name === tensor.name);
      if (!spec) {
        const names = specs.map(({ name }) => name);
        throw invalidArgument(
          `${tensor.path}.name: the graph has no ${what} "${clip(tensor.name)}"; it has ${clip(names.join(', '), 400)}`,
        );
      }
      checkTensor(tensor, spec, batching);
    }
  }
}

function checkTensor({ path, datatype, dims }: ConfigTensor, spec: RepositoryTensor, batching: boolean): void {
  const name = `"${clip(spec.name)}"`;
  if (datatype !== undefined && datatype !== spec.datatype) {
    throw invalidArgument(`${path}.data_type: the graph has ${spec.datatype} for ${name}, got ${datatype}`);
  }
  if (dims === undefined) return;
  const expected = batching ? spec.shape.slice(1) : spec.shape;
  // Triton has no scalars: it writes a row that is one as [1].
  const scalar = expected.length === 0 && dims.length === 1 && dims[0] === 1;
  const fits = dims.length === expected.length && expected.every((size, at) => size === -1 || size === dims[at]);
  if (fits || scalar) return;
  const beside = batching ? ', without the batch dimension' : '';
  throw invalidArgument(
    `${path}.dims: the graph has [${expected.join(',')}] for ${name}${beside}, got [${dims.join(',')}]`,
  );
}
