import type { ConfigSpec } from './config.ts';

/** `metricsPort` as a flag: `metrics-port`. */
export const flagName = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** `metricsPort` as a variable: `SLUICE_METRICS_PORT`. */
export const variableName = (name: string): string => `SLUICE_${flagName(name).replaceAll('-', '_').toUpperCase()}`;

export interface ParsedArguments {
  /** Text by setting name. */
  readonly flags: Map<string, string>;
  readonly problems: string[];
  readonly help: boolean;
}

/** Reads `--flag value`, `--flag=value`, `--on` and `--no-on`; all problems are collected, none throws. */
export function parseArguments(spec: ConfigSpec, argv: readonly string[]): ParsedArguments {
  const byFlag = new Map(
    Object.entries(spec)
      .filter(([, setting]) => setting.flag !== false)
      .map(([name, setting]) => [flagName(name), { name, isBoolean: setting.isBoolean }]),
  );
  const flags = new Map<string, string>();
  const problems: string[] = [];
  let help = false;
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index]!;
    if (argument === '--help' || argument === '-h') {
      help = true;
      continue;
    }
    if (!argument.startsWith('--')) {
      problems.push(`unexpected argument "${argument}": settings are given as --name value`);
      continue;
    }
    const equals = argument.indexOf('=');
    const written = argument.slice(2, equals < 0 ? undefined : equals);
    const known = byFlag.get(written);
    const negated = written.startsWith('no-') ? byFlag.get(written.slice(3)) : undefined;
    if (negated?.isBoolean === true && equals < 0) {
      setOnce(flags, problems, negated.name, 'false');
    } else if (known === undefined) {
      problems.push(`unknown flag --${written}${suggestion(written, [...byFlag.keys()])}`);
      // What follows is most likely its value.
      if (equals < 0 && argv[index + 1]?.startsWith('--') === false) index++;
    } else if (equals >= 0) {
      setOnce(flags, problems, known.name, argument.slice(equals + 1));
    } else if (known.isBoolean) {
      setOnce(flags, problems, known.name, 'true');
    } else if (argv[index + 1]?.startsWith('--') === false) {
      setOnce(flags, problems, known.name, argv[++index]!);
    } else {
      problems.push(`--${written} needs a value`);
    }
  }
  return { flags, problems, help };
}

function setOnce(flags: Map<string, string>, problems: string[], name: string, text: string): void {
  if (flags.has(name)) problems.push(`--${flagName(name)} is given twice`);
  flags.set(name, text);
}

function suggestion(written: string, known: readonly string[]): string {
  const near = known
    .map((flag) => ({ flag, distance: editDistance(written, flag) }))
    .filter(({ flag, distance }) => distance <= Math.max(2, Math.floor(flag.length / 3)))
    .sort((a, b) => a.distance - b.distance)[0];
  return near === undefined ? ', --help lists them' : `, did you mean --${near.flag}?`;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[j]! + 1, current[j - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}
