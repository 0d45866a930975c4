import type { Version__Output } from '@sluice/contracts/gen/sluice/registry/v1/Version';
import type { TensorSpec__Output } from '@sluice/contracts/gen/sluice/registry/v1/TensorSpec';
import { parseVersionRef } from '@sluice/domain/names';
import { type CliContext, show } from '../context.ts';
import { usageError } from '../exit-codes.ts';
import { showBytes, showEnum, showFields, showMilliseconds, showShape, showTable, showTime } from '../format.ts';
import { allPages } from './models.ts';
import { describeQuarantines } from './show-quarantine.ts';
import { servingFields } from './serving.ts';

/** The number that a person means by a number or an alias. */
export async function numberOf(context: CliContext, model: string, text: string): Promise<string> {
  const ref = parseVersionRef(text, 'VERSION');
  if (ref.kind === 'number') return text;
  if (ref.kind === 'release') throw usageError('VERSION is empty', 'Give a number or an alias.');
  const { version } = await context.services.registry.getVersion({ model, version: text }, { signal: context.signal });
  return version!.number;
}

/** `sluice versions MODEL` */
export async function listVersions(context: CliContext, model: string, showDeleted: boolean): Promise<void> {
  const { registry } = context.services;
  const versions = await allPages(
    (pageToken) => registry.listVersions({ model, pageToken, pageSize: 1000, showDeleted }, { signal: context.signal }),
    (page) => page.versions,
  );
  show(context, versions, () =>
    versions.length === 0
      ? `${model} has no versions: sluice push ${model} FOLDER makes the first`
      : showTable(
          ['version', 'state', 'aliases', 'pinned', 'pushed', 'by', 'approved by', 'why rejected'],
          versions.map((version) => [
            version.number,
            version.quarantines.length > 0 ? 'quarantined' : showEnum(version.state, 'VERSION_STATE'),
            version.aliases.join(' '),
            version.pinned ? 'yes' : '',
            showTime(version.createdAt),
            version.createdBy,
            version.approvals.map((approval) => approval.approver).join(' '),
            version.rejection,
          ]),
        ),
  );
}

/** `sluice show MODEL [VERSION]` */
export async function showVersion(context: CliContext, model: string, text: string | undefined): Promise<void> {
  const { version } = await context.services.registry.getVersion(
    { model, version: text ?? 'champion' },
    { signal: context.signal },
  );
  show(context, version, () => describeVersion(version!));
}

/** Everything of a version, for people. */
export function describeVersion(version: Version__Output): string {
  const { signature, serving, admission } = version;
  const parts = [
    showFields([
      ['version', `${version.model} ${version.number}`],
      ['state', showEnum(version.state, 'VERSION_STATE')],
      ['why rejected', version.rejection],
      ['quarantined', describeQuarantines(version.quarantines)],
      ['aliases', version.aliases.join(' ')],
      ['pinned', version.pinned ? 'yes' : ''],
      ['pushed', `${showTime(version.createdAt)} by ${version.createdBy}`],
      [
        'approved',
        version.approvals.map((one) => `for ${one.alias} by ${one.approver}, ${showTime(one.at)}`).join('\n'),
      ],
      ['made by run', version.run],
      ['trained on', version.dataSets.map(({ dataSet, version: number }) => `${dataSet}@${number}`).join('\n')],
      ['digest', version.digest],
      ['files', version.files.map((file) => `${file.path}  ${showBytes(file.size)}`).join('\n')],
      ...(signature?.inputs ?? []).map((spec) => [`input`, describeTensor(spec)] as const),
      ...(signature?.outputs ?? []).map((spec) => [`output`, describeTensor(spec)] as const),
      ...(serving ? servingFields(serving) : []),
      ...described(version.manifestJson),
    ]),
  ];
  if (admission) {
    const checks = admission.checks.map((check) => [check.name, check.passed ? 'ok' : 'FAILED', check.detail]);
    parts.push('', showTable(['admission check', 'result', 'detail'], checks));
    parts.push(
      '',
      showFields([
        ['latency', showMilliseconds(admission.latencyMs)],
        ['memory', showBytes(admission.peakRssBytes)],
        ['derived', admission.derived.join('\n')],
      ]),
    );
  }
  return parts.join('\n');
}

function describeTensor(spec: TensorSpec__Output): string {
  const shown = spec.features.slice(0, 8).map((feature) => feature.name);
  if (spec.features.length > shown.length) shown.push(`… ${spec.features.length} in all`);
  const features = shown.length > 0 ? `\n${shown.join(', ')}` : '';
  return `${spec.name}  ${spec.datatype} ${showShape(spec.shape, spec.dimNames)}${features}`;
}

/** What `sluice.yaml` said, for people: the short things. */
function described(manifestJson: string): (readonly [string, string | undefined])[] {
  const manifest = manifestOf(manifestJson);
  const task = manifest.task;
  return [
    ['description', manifest.description],
    ['owner', manifest.owner],
    ['licence', manifest.licence],
    ['tags', manifest.tags?.join(' ')],
    [
      'task',
      task && [task.kind, task.prediction && `by ${task.prediction}`, task.class_from].filter(Boolean).join(', '),
    ],
    ['classes', task?.class_names?.join(' ')],
    [
      'metrics',
      manifest.metrics
        ?.map(({ name, value, data_set: set }) => `${name} ${value}${set ? ` on ${set}` : ''}`)
        .join('\n'),
    ],
    ['model card', manifest.model_card?.trimEnd()],
  ];
}

/** The parts of a version's manifest that this program reads. */
export interface ManifestView {
  readonly description?: string;
  readonly owner?: string;
  readonly licence?: string;
  readonly tags?: readonly string[];
  readonly model_card?: string;
  readonly task?: {
    readonly kind: 'classification' | 'regression' | 'none';
    readonly prediction?: string;
    readonly class_from?: 'argmax' | 'threshold' | 'label';
    readonly threshold?: number;
    readonly class_names?: readonly string[];
  };
  readonly metrics?: readonly { readonly name: string; readonly value: number; readonly data_set?: string }[];
}

/** Reads a version's manifest; one that is not there, or not JSON, is empty. */
export function manifestOf(json: string): ManifestView {
  try {
    return json === '' ? {} : (JSON.parse(json) as ManifestView);
  } catch {
    return {};
  }
}

/** `sluice delete MODEL VERSION` */
export async function deleteVersion(context: CliContext, model: string, text: string): Promise<void> {
  const number = parseVersionRef(text, 'VERSION');
  if (number.kind !== 'number')
    throw usageError(`VERSION: "${text}" is not a number`, 'Deleting takes a number, no alias.');
  const { version } = await context.services.registry.deleteVersion(
    { model, version: text },
    { signal: context.signal },
  );
  show(context, version, () => `${model} version ${text} is deleted; its number is never used again`);
}

/** `sluice pin MODEL VERSION` and `sluice unpin MODEL VERSION` */
export async function setPin(context: CliContext, model: string, text: string, pinned: boolean): Promise<void> {
  const { registry } = context.services;
  const version = await numberOf(context, model, text);
  const call = { signal: context.signal };
  const { revision } = pinned
    ? await registry.pinVersion({ model, version }, call)
    : await registry.unpinVersion({ model, version }, call);
  show(context, { model, version, pinned, revision }, () =>
    pinned
      ? `${model} version ${version} is pinned: every runtime loads it (sluice runtimes shows when)`
      : `${model} version ${version} is no longer pinned`,
  );
}

/** `sluice approve MODEL VERSION` */
export async function approve(context: CliContext, model: string, text: string, alias: string): Promise<void> {
  const version = await numberOf(context, model, text);
  const { approval } = await context.services.registry.approve({ model, version, alias }, { signal: context.signal });
  show(context, approval, () => {
    const who = approval?.approver ?? '';
    return `${who} approved ${model} version ${version} for ${alias}\n  next: sluice alias set ${model} ${alias} ${version}`;
  });
}
