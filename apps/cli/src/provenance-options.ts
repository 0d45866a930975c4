import type { DataSetRef, VersionRef } from '@sluice/domain/data-set';
import { InvalidArgumentError } from 'commander';
import { list } from './options.ts';

/** `NAME@N`: a version of a data set. */
export function dataSetRef(text: string): DataSetRef {
  const [, dataSet, version] = /^([^@]+)@([1-9]\d{0,14})$/.exec(text) ?? [];
  if (dataSet === undefined) throw new InvalidArgumentError('Expected NAME@N, such as digits/train@3.');
  return { dataSet, version: Number(version) };
}

/** `NAME@N`, or `NAME` for its newest version, which is 0. */
export const dataSetOrNewest = (text: string): DataSetRef =>
  text.includes('@') ? dataSetRef(text) : { dataSet: text, version: 0 };

/** Adds a `NAME@N` to those before it. */
export const dataSetRefs = (text: string, before: readonly DataSetRef[] = []): readonly DataSetRef[] => [
  ...before,
  dataSetRef(text),
];

/** Adds a `MODEL:N` to those before it. */
export function versionRefs(text: string, before: readonly VersionRef[] = []): readonly VersionRef[] {
  const [, model, version] = /^([^:]+):([1-9]\d{0,14})$/.exec(text) ?? [];
  if (model === undefined) throw new InvalidArgumentError('Expected MODEL:N, such as digits:3.');
  return [...before, { model, version: Number(version) }];
}

/** `NAME:TYPE,NAME:TYPE`; a type may be left out, and a name may have colons when a type follows. */
export function columns(text: string): readonly { readonly name: string; readonly type: string }[] {
  return list(text).map((part) => {
    const colon = part.lastIndexOf(':');
    return colon < 0 ? { name: part, type: '' } : { name: part.slice(0, colon), type: part.slice(colon + 1) };
  });
}
