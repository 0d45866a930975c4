import { invalidArgument } from './errors.ts';
import { isVisibleName } from './model.ts';
import { clip } from './names.ts';

/** A version of a data set. */
export interface DataSetRef {
  readonly dataSet: string;
  readonly version: number;
}

/** A version of a model. */
export interface VersionRef {
  readonly model: string;
  readonly version: number;
}

export interface DataSetColumn {
  readonly name: string;
  /** '' when nobody said. */
  readonly type: string;
}

/** What is said of the bytes of a data set version. */
export interface DataSetFacts {
  /** SHA-256 in lower-case hex. */
  readonly digest: string;
  readonly columns: readonly DataSetColumn[];
  /** Undefined when nobody counted. */
  readonly rowCount: number | undefined;
  /** A URI; '' when it is not known. */
  readonly location: string;
  /** '' when it is not known. */
  readonly format: string;
}

const mostColumns = 4_096;
/** How many versions one thing may refer to. */
export const mostReferences = 256;

/** Throws `invalid-argument` naming what is wrong of a data set version. */
export function checkDataSetFacts({ digest, columns, location, format }: DataSetFacts): void {
  if (!/^[0-9a-f]{64}$/.test(digest)) {
    throw invalidArgument(`digest: "${clip(digest)}" given; expected a SHA-256 as 64 digits of lower-case hex`);
  }
  checkColumns(columns);
  checkLocation(location);
  if (!/^[a-z0-9.+-]{0,64}$/.test(format)) {
    throw invalidArgument(`format: "${clip(format)}" given; expected at most 64 of a-z, 0-9, '.', '+' and '-'`);
  }
}

function checkColumns(columns: readonly DataSetColumn[]): void {
  if (columns.length > mostColumns) {
    throw invalidArgument(`columns: ${columns.length} given; expected at most ${mostColumns}`);
  }
  const seen = new Set<string>();
  for (const [index, { name, type }] of columns.entries()) {
    if (!isVisibleName(name, 256))
      throw invalidArgument(`columns[${index}].name: expected 1 to 256 visible characters`);
    if (type !== '' && !isVisibleName(type, 64)) {
      throw invalidArgument(`columns[${index}].type: expected at most 64 visible characters`);
    }
    if (seen.has(name)) throw invalidArgument(`columns[${index}].name: "${clip(name)}" is given twice`);
    seen.add(name);
  }
}

/** The log and every reader of lineage see it, for ever: nothing secret may stand in it. */
function checkLocation(location: string): void {
  if (location === '') return;
  const isUri = isVisibleName(location, 2_048) && /^[a-z][a-z0-9+.-]*:./i.test(location) && URL.canParse(location);
  if (!isUri) {
    throw invalidArgument(
      `location: "${clip(location)}" given; expected a URI of at most 2,048 characters, such as s3://bucket/train.csv`,
    );
  }
  if (new URL(location).password !== '') {
    throw invalidArgument('location: has a password, which everybody could read for ever; give the URI without it');
  }
}

/** Throws `invalid-argument` for a list of references that is too long or names one twice. */
export function checkReferences<Ref>(refs: readonly Ref[], field: string, textOf: (ref: Ref) => string): void {
  if (refs.length > mostReferences) {
    throw invalidArgument(`${field}: ${refs.length} given; expected at most ${mostReferences}`);
  }
  const seen = new Set<string>();
  for (const [index, ref] of refs.entries()) {
    const text = textOf(ref);
    if (seen.has(text)) throw invalidArgument(`${field}[${index}]: ${clip(text)} is given twice`);
    seen.add(text);
  }
}

/** As people write it: `digits/train@3`. */
export const dataSetText = ({ dataSet, version }: DataSetRef): string => `${dataSet}@${version}`;

/** As people write it: `digits:3`. */
export const versionText = ({ model, version }: VersionRef): string => `${model}:${version}`;
