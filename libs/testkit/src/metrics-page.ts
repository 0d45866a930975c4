import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Described {
  readonly type: string;
  readonly labels: readonly string[];
}

/** The labels that all series of a service have. */
const common = ['instance', 'service'];

const names = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);

/** What docs/metrics.md lists of a service and of every service: by name, type and labels. */
export function documentedMetrics(page: string, service: string): Map<string, Described> {
  const found = new Map<string, Described>();
  for (const section of page.split(/^## /m).slice(1)) {
    const title = section.split('\n', 1)[0]!.trim();
    if (title !== service && title !== 'Every service') continue;
    for (const line of section.split('\n').filter((each) => each.startsWith('| `'))) {
      const [metric, type, labels] = line
        .split('|')
        .slice(1)
        .map((cell) => cell.trim());
      for (const name of names(metric!)) found.set(name, { type: type!, labels: names(labels!).sort() });
    }
  }
  return found;
}

/** What the text of a scrape has: by name, type, and the labels of its series without the common ones and `le`. */
export function exposedMetrics(text: string): Map<string, Described & { readonly series: number }> {
  const found = new Map<string, { type: string; labels: string[]; series: number }>();
  let family: { type: string; labels: string[]; series: number } | undefined;
  for (const line of text.split('\n')) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== undefined) {
      if (found.has(name)) throw new Error(`${name} is there twice`);
      found.set(name, (family = { type: type!, labels: [], series: 0 }));
    } else if (family && line !== '' && !line.startsWith('#')) {
      const labels = [...line.matchAll(/[{,](\w+)="(?:[^"\\]|\\.)*"/g)].map(([, label]) => label!).sort();
      for (const label of common) if (!labels.includes(label)) throw new Error(`no label ${label}: ${line}`);
      const own = labels.filter((label) => label !== 'le' && !common.includes(label));
      if (family.series > 0 && own.join() !== family.labels.join()) throw new Error(`other labels before: ${line}`);
      family.labels = own;
      family.series += 1;
    }
  }
  return found;
}

/**
 * Compares a scrape with docs/metrics.md, both ways.
 *
 * @returns what is not as it says, and the metrics that had no series, so that their labels could not be compared
 */
export function compareWithPage(text: string, service: string): { differences: string[]; withoutSeries: string[] } {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/metrics.md'), 'utf8');
  const documented = documentedMetrics(page, service);
  const exposed = exposedMetrics(text);
  const patterns = [...documented.keys()].filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  const differences: string[] = [];
  for (const name of documented.keys()) if (!name.endsWith('*') && !exposed.has(name)) differences.push(`no ${name}`);
  for (const [name, { type, labels, series }] of exposed) {
    if (patterns.some((pattern) => name.startsWith(pattern))) continue;
    const said = documented.get(name);
    if (!said) differences.push(`${name} is not on the page`);
    else if (said.type !== type) differences.push(`${name} is a ${type}, on the page a ${said.type}`);
    else if (series > 0 && said.labels.join() !== labels.join())
      differences.push(`${name} has labels ${labels.join(', ')}, on the page ${said.labels.join(', ')}`);
  }
  const withoutSeries = [...exposed].filter(([, { series }]) => series === 0).map(([name]) => name);
  return { differences, withoutSeries };
}
