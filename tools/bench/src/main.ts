import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { runBench } from './bench.ts';
import { runEndurance } from './endurance.ts';
import { parseOptions, usage, type BenchOptions } from './options.ts';
import { withFigures } from './publish.ts';
import { report } from './report.ts';
import { jsonRows, rowsOf } from './rows.ts';
import { targetTable } from './table.ts';

const fail = (thrown: unknown): never => {
  process.stderr.write(`bench: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exit(1);
};

function options(): BenchOptions {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}; npm run bench -- --help lists the options`);
  }
}

const chosen = options();
const root = path.resolve(import.meta.dirname, '..', '..', '..');
const say = (line: string): void => {
  if (!chosen.json) process.stderr.write(`${line}\n`);
};
if (chosen.help) {
  process.stdout.write(usage);
} else if (chosen.endurance) {
  try {
    const rows = await runEndurance({ ...chosen.endurance, portOffset: chosen.portOffset }, { root, say });
    process.stdout.write(chosen.json ? `${JSON.stringify(jsonRows(rows))}\n` : `\n${targetTable(rows)}\n`);
    if (rows.some(({ verdict }) => verdict !== 'met')) process.exit(1);
  } catch (error) {
    fail(error);
  }
} else {
  try {
    const result = await runBench(chosen, { root, say });
    if (chosen.publish) {
      const page = path.join(root, 'docs', 'performance.md');
      writeFileSync(page, withFigures(readFileSync(page, 'utf8'), report(result), new Date()));
    }
    process.stdout.write(
      chosen.json
        ? `${JSON.stringify(jsonRows(rowsOf(result.figures)))}\n`
        : `${report(result)}\nall runs: ${result.folder}/latest.json\n`,
    );
  } catch (error) {
    fail(error);
  }
}
// The channel to whoever started it keeps a process alive; the work is done.
process.exit(0);
