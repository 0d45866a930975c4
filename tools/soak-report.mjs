// The page docs/soak-report.md: the last full run of each suite of `npm run soak`, a row each.
import { availableParallelism, cpus, totalmem } from 'node:os';

const head = [
  '| suite | what | runs per property x rounds | tests passed | failed | minutes | when (UTC) | commit | seed | machine |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
];

/** The machine of this process, in a line. */
export function machineText() {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} cores (${model}), ${memory} GiB, ${process.platform}-${process.arch}, Node ${process.versions.node}`;
}

/** A suite's run as a line of the table. */
export function rowOf({ name, about, tries, rounds, passed, failed, minutes, at, commit, seed, machine }) {
  const when = at.toISOString().slice(0, 16).replace('T', ' ');
  const cells = [name, about, `${tries} x ${rounds}`, passed, failed, minutes.toFixed(1), when, commit, seed, machine];
  return `| ${cells.join(' | ')} |`;
}

/**
 * The page with this run in place of the suite's last one.
 *
 * @param before the page as it is; empty for none
 * @param names all suites, in the order of the page; rows of any other are dropped
 */
export function replaceRow(before, run, names) {
  const lines = before.split('\n').map((line) => line.replace(/ +/g, ' '));
  /** What the page says of the other suites, in lines that begin so. */
  const others = (prefix, name) => (name === run.name ? [] : lines.filter((line) => line.startsWith(prefix)));
  const rows = names.flatMap((name) => (name === run.name ? [rowOf(run)] : others(`| ${name} |`, name)));
  const failures = names.flatMap((name) => [
    ...others(`- ${name}: `, name),
    ...(name === run.name ? run.failures.map((failure) => `- ${name}: ${failure}`) : []),
  ]);
  return `# Soak report

The last full run of each suite of \`npm run soak\`, which writes this page. The seed is \`SLUICE_PROPERTY_SEED\`.

${[...head, ...rows].join('\n')}
${failures.length === 0 ? '' : `\nFailed:\n\n${failures.join('\n')}\n`}`;
}
