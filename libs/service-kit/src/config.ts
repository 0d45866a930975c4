import { SluiceError } from '@sluice/domain/errors';
import { z } from 'zod';
import { flagName, parseArguments, variableName } from './arguments.ts';
import { hideSecrets } from './secrets.ts';

export interface FieldOptions {
  /** One line for `--help` and the README: what it is, its unit, what 0 or empty means. */
  readonly doc: string;
  /** Used when neither flag nor variable is given. Absent and without `optional`: the field must be given. */
  readonly default?: string | number | boolean;
  /** Shown instead of a default that differs from run to run. */
  readonly defaultText?: string;
  /** Printed as "[hidden]" everywhere. */
  readonly secret?: boolean;
  /** False: no flag (a secret on a command line is readable by every process of the machine). */
  readonly flag?: boolean;
}

/** One setting: how its text becomes a value, and what people are told of it. */
export interface Field<Value> extends FieldOptions {
  readonly schema: z.ZodType<Value>;
  readonly isBoolean: boolean;
}

/** Settings by camel-case name: `metricsPort` is `--metrics-port` and `SLUICE_METRICS_PORT`. */
export type ConfigSpec = Readonly<Record<string, Field<unknown>>>;
export type Config<Spec extends ConfigSpec> = {
  readonly [Name in keyof Spec]: Spec[Name] extends Field<infer Value> ? Value : never;
};

/** A setting whose text (flag, variable or default) is read by a zod schema; the schema sees a string. */
export function field<Value>(schema: z.ZodType<Value>, options: FieldOptions): Field<Value> {
  return Object.freeze({ ...options, schema, isBoolean: false });
}

/** A setting that is on or off: `--name`, `--no-name`, `--name=true`, or the variable with true/false/1/0. */
export function booleanField(options: FieldOptions & { readonly default: boolean }): Field<boolean> {
  return Object.freeze({ ...options, schema: z.stringbool(), isBoolean: true });
}

/** A whole number within bounds. */
export function integerField(
  bounds: { readonly min: number; readonly max?: number },
  options: FieldOptions & { readonly default: number },
): Field<number> {
  const max = bounds.max ?? Number.MAX_SAFE_INTEGER;
  const expected = `expected a whole number from ${bounds.min} to ${max}`;
  const schema = z
    .string()
    .regex(/^-?\d+$/, expected)
    .transform(Number)
    .refine((value) => value >= bounds.min && value <= max, expected);
  return field(schema, options);
}

/** A TCP port; 0 takes a free one. */
export function portField(options: FieldOptions & { readonly default: number }): Field<number> {
  return integerField({ min: 0, max: 65_535 }, options);
}

/** Thrown by `parseConfig` for `--help`; `text` is what to print. */
export class HelpRequested extends Error {
  readonly text: string;

  constructor(text: string) {
    super('help was asked for');
    this.name = 'HelpRequested';
    this.text = text;
  }
}

export interface ConfigSource {
  /** Environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Arguments after the program's name. */
  readonly argv: readonly string[];
}

/**
 * Reads settings from flags, then variables, then defaults, and freezes them.
 *
 * @throws HelpRequested for `--help`
 * @throws SluiceError invalid-argument that lists all problems, one line each
 */
export function parseConfig<Spec extends ConfigSpec>(spec: Spec, source: ConfigSource): Config<Spec> {
  const { flags, problems, help } = parseArguments(spec, source.argv);
  if (help) throw new HelpRequested(configHelp(spec));
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(spec)) {
    const given = flags.get(name);
    const variable = variableName(name);
    const text = given ?? (source.env[variable] === '' ? undefined : source.env[variable]) ?? setting.default;
    const label = given === undefined ? variable : `--${flagName(name)}`;
    const parsed = setting.schema.safeParse(text === undefined ? undefined : String(text));
    if (parsed.success) values[name] = parsed.data;
    else problems.push(...describe(label, name, setting, text, parsed.error));
  }
  if (problems.length > 0) throw new SluiceError('invalid-argument', problems.join('\n'));
  return Object.freeze(values) as Config<Spec>;
}

function describe(
  label: string,
  name: string,
  setting: Field<unknown>,
  text: string | number | boolean | undefined,
  error: z.ZodError,
): string[] {
  if (text === undefined) {
    const ways = setting.flag === false ? variableName(name) : `--${flagName(name)} or ${variableName(name)}`;
    return [`${name} is not set: give ${ways} (${setting.doc})`];
  }
  const got = setting.secret === true ? '' : `, got "${hideSecrets(String(text))}"`;
  return error.issues.map((issue) => `${label}: ${issue.message}${got}`);
}

function rows(spec: ConfigSpec): { flag: string; variable: string; fallback: string; doc: string }[] {
  return Object.entries(spec).map(([name, setting]) => ({
    flag: setting.flag === false ? '' : `--${flagName(name)}`,
    variable: variableName(name),
    fallback: setting.defaultText ?? fallbackText(setting),
    doc: setting.doc,
  }));
}

function fallbackText(setting: Field<unknown>): string {
  if (setting.default !== undefined) return setting.default === '' ? 'empty' : String(setting.default);
  return setting.schema.safeParse(undefined).success ? '' : 'required';
}

/** The settings as a markdown table, for a README. */
export function configTable(spec: ConfigSpec): string {
  const lines = rows(spec).map(
    (row) => `| ${row.flag === '' ? '' : `\`${row.flag}\``} | \`${row.variable}\` | ${row.fallback} | ${row.doc} |`,
  );
  return ['| flag | variable | default | meaning |', '| --- | --- | --- | --- |', ...lines].join('\n');
}

/** The settings as `--help` prints them. */
export function configHelp(spec: ConfigSpec): string {
  const table = rows(spec);
  const width = (pick: (row: (typeof table)[number]) => string): number =>
    Math.max(...table.map((row) => pick(row).length));
  const [flags, variables] = [width((row) => row.flag), width((row) => row.variable)];
  const lines = table.map((row) => {
    const fallback = row.fallback === '' ? '' : ` (${row.fallback === 'required' ? '' : 'default '}${row.fallback})`;
    return `  ${row.flag.padEnd(flags)}  ${row.variable.padEnd(variables)}  ${row.doc}${fallback}`;
  });
  return ['Settings, as flag or environment variable:', ...lines, ''].join('\n');
}

/** The settings as an object that may be logged or shown: secrets and passwords inside URLs read "[hidden]". */
export function publicConfig<Spec extends ConfigSpec>(spec: Spec, config: Config<Spec>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(spec).map(([name, setting]) => {
      const value: unknown = config[name];
      if (setting.secret === true && value !== undefined) return [name, '[hidden]'];
      return [name, typeof value === 'string' ? hideSecrets(value) : value];
    }),
  );
}
