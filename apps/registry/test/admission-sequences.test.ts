import { graph, model, node, rawData, tensor, value } from '@sluice/testkit/onnx-builder';
import { describe, expect, it } from 'vitest';
import { bench, type Files } from './admission-fixture.ts';

const int = (name: string) => value(name, 'INT32', ['batch', 1]);

/** OUTPUT is the sum of the sequence, where the row is ready. */
function accumulator(stateNode: Uint8Array): Uint8Array {
  return model({
    graph: graph({
      nodes: [
        node('Add', ['INPUT', 'STATE'], ['sum']),
        node('Mul', ['sum', 'READY'], ['OUTPUT']),
        stateNode,
        node('Identity', ['CORRID'], ['ID']),
      ],
      inputs: [...['INPUT', 'READY', 'STATE'].map(int), value('CORRID', 'BYTES', ['batch', 1])],
      outputs: [...['OUTPUT', 'STATE_NEXT'].map(int), value('ID', 'BYTES', ['batch', 1])],
      // The dimension of the batch, for a node that mixes rows.
      initializers: [tensor('first', 'INT64', [], [0])],
    }),
  });
}

const settings = `
signature: { inputs: [{ name: INPUT, range: [0, 50] }] }
batching: { max_batch_size: 4 }
sequence_batching:
  control_input:
    - { name: READY, control: ready, int32_false_true: [0, 1] }
    - { name: CORRID, control: corrid }
  state:
    - { input_name: STATE, output_name: STATE_NEXT, initial_state: { data_file: states/initial.bin } }
warm_up: { requests: [{ name: two, batch_size: 2, inputs: { INPUT: [[1], [2]] } }] }
golden: [{ name: begins with 1000, inputs: { INPUT: [[1], [2]] }, outputs: { OUTPUT: [[1001], [1002]] } }]
`;
const filesOf = (stateNode: Uint8Array): Files => ({
  'm.onnx': accumulator(stateNode),
  'sluice.yaml': settings,
  'states/initial.bin': rawData('INT32', [1000]),
});

describe('admission of a model with sequences', () => {
  it('runs it with controls and initial states: rows, warm-up requests and golden cases', async () => {
    const { admit } = await bench();
    const outcome = await admit(filesOf(node('Identity', ['sum'], ['STATE_NEXT'])));
    expect(outcome).toMatchObject({ passed: true, rejection: '', serving: { maxBatchSize: 4 } });
    expect(outcome.report.checks.map(({ name }) => name)).toEqual([
      ...['parse', 'load', 'warm-up', 'warm-up:two', 'latency', 'batch-independence', 'batch-latency'],
      'golden:begins with 1000',
    ]);
    expect(outcome.report.checks[5]!.detail).toContain('answer as they do one by one');
  });

  it('sees rows that influence each other in their states alone, and keeps one slot an instance then', async () => {
    const { admit } = await bench();
    const files = filesOf(node('CumSum', ['sum', 'first'], ['STATE_NEXT']));
    const { passed, serving } = await admit(files);
    expect(passed).toBe(true);
    expect(serving).toMatchObject({ maxBatchSize: 0, sequenceBatching: { states: [{ outputName: 'STATE_NEXT' }] } });
    expect(serving.batchingOffReason).toContain('output "STATE_NEXT"');
  });
});
