import { execFileSync } from 'node:child_process';

/** Runs a graph with onnxruntime-node in a process of its own: what our answers must be equal to. Row by row. */
export async function referenceRun(
  graphFile: string,
  input: string,
  rows: readonly (readonly number[])[],
  output: string,
): Promise<number[][]> {
  const script = `
    const { InferenceSession, Tensor } = require('onnxruntime-node');
    const { graphFile, input, rows, output } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
    InferenceSession.create(graphFile, { intraOpNumThreads: 1 }).then(async (session) => {
      const x = new Tensor('float32', Float32Array.from(rows.flat()), [rows.length, rows[0].length]);
      const y = (await session.run({ [input]: x }))[output];
      process.stdout.write(JSON.stringify({ dims: y.dims, data: Array.from(y.data) }));
    });`;
  const text = execFileSync(process.execPath, ['-e', script], {
    input: JSON.stringify({ graphFile, input, rows, output }),
    cwd: new URL('.', import.meta.url),
    maxBuffer: 1 << 26,
    encoding: 'utf8',
  });
  const { dims, data } = JSON.parse(text) as { dims: number[]; data: number[] };
  const width = data.length / dims[0]!;
  return Array.from({ length: dims[0]! }, (_, row) => data.slice(row * width, (row + 1) * width));
}
