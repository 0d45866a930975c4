// The reports that vitest leaves of each project's tests, read for their counts and for what failed.
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** Lines of a failure that are shown: enough for the assertion and what it was compared with. */
const shownLines = 12;

/** A failure's message without colours and without the frames of its stack. */
function shown(message) {
  const lines = stripVTControlCharacters(message).split('\n');
  const frame = lines.findIndex((line) => /^\s+at /.test(line));
  const kept = lines.slice(0, frame === -1 ? lines.length : frame + 1);
  if (kept.length > shownLines) return [...kept.slice(0, shownLines - 1), kept.at(-1)];
  return kept;
}

/**
 * Reads and removes the reports in a folder.
 *
 * @param folder with files `PROJECT-PID.json`, each a report of vitest's reporter `json`
 * @returns how many reports, tests passed, and what failed: the test's name, its project and file, and the lines to show
 *   of its message. A file that did not load is one failure.
 */
export function takeReports(folder) {
  let passed = 0;
  const failures = [];
  const names = readdirSync(folder);
  for (const name of names) {
    const project = name.replace(/-\d+\.json$/, '');
    const report = JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
    passed += report.numPassedTests;
    for (const file of report.testResults) {
      const where = `${project} ${/(?:test|src)\/.*$/.exec(file.name)?.[0] ?? file.name}`;
      for (const test of file.assertionResults)
        if (test.status === 'failed')
          failures.push({ test: test.fullName, where, message: test.failureMessages.flatMap(shown) });
      if (file.status === 'failed' && file.assertionResults.length === 0)
        failures.push({ test: 'the file did not load', where, message: shown(file.message ?? '') });
    }
    rmSync(path.join(folder, name));
  }
  return { reports: names.length, passed, failures };
}
