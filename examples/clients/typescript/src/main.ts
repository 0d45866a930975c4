import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { createOipClient } from '@sluice/client/oip-client';
import { SluiceError } from '@sluice/client/errors';

const [address = '127.0.0.1:8001', file = path.join(import.meta.dirname, '../../../models/digits/holdout.csv')] =
  process.argv.slice(2);
const batchRows = 32;

interface Row {
  readonly pixels: readonly number[];
  readonly digit: number;
}

async function readRows(): Promise<Row[]> {
  const [, ...lines] = (await readFile(file, 'utf8')).trim().split('\n');
  return lines.map((line) => {
    const numbers = line.split(',').map(Number);
    return { pixels: numbers.slice(0, 64), digit: numbers[64]! };
  });
}

/** The most probable digit of each row of probabilities. */
function mostProbable(values: ArrayLike<unknown>): number[] {
  return Array.from({ length: values.length / 10 }, (_, row) => {
    const scores = Array.from({ length: 10 }, (__, digit) => Number(values[10 * row + digit]));
    return scores.indexOf(Math.max(...scores));
  });
}

async function main(): Promise<void> {
  const rows = await readRows();
  // Retries what may be retried within the time-out; a restart of the router is not seen here.
  const client = createOipClient(address, { timeoutMs: 10_000 });
  let right = 0;
  let last = '';
  for (let start = 0; start < rows.length; start += batchRows) {
    const batch = rows.slice(start, start + batchRows);
    const answer = await client.infer({
      model: 'digits',
      inputs: [
        {
          name: 'pixels',
          datatype: 'FP32',
          shape: [batch.length, 64],
          data: Float32Array.from(batch.flatMap(({ pixels }) => pixels)),
        },
      ],
    });
    const digits = mostProbable(answer.output('probabilities').values);
    right += batch.filter(({ digit }, index) => digit === digits[index]).length;
    last = `by digits version ${answer.version}; the last answer was ${answer.predictionId}`;
  }
  client.close();
  process.stdout.write(`${right} of ${rows.length} right, ${last}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof SluiceError ? `${error.kind}: ${error.message}` : String(error)}\n`);
  process.exitCode = 1;
});
