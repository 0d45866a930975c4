import type { LoadedVersion__Output } from '@sluice/contracts/gen/sluice/registry/v1/LoadedVersion';
import type { LabelChanges } from '@sluice/contracts/gen/sluice/registry/v1/LabelChanges';
import type { LabelPolicy__Output } from '@sluice/contracts/gen/sluice/registry/v1/LabelPolicy';
import type { Model__Output } from '@sluice/contracts/gen/sluice/registry/v1/Model';
import type { Release__Output } from '@sluice/contracts/gen/sluice/registry/v1/Release';
import type { RuntimeLease__Output } from '@sluice/contracts/gen/sluice/registry/v1/RuntimeLease';
import { captureChanges, type CaptureFlags } from '../capture-options.ts';
import { type CliContext, show, showJson } from '../context.ts';
import { usageError } from '../exit-codes.ts';
import { showBytes, showEnum, showFields, showTable, showTime } from '../format.ts';
import { toJson } from '../json.ts';
import { showQuarantines } from './show-quarantine.ts';
import { captureLine, releaseLine } from './show-release.ts';

/** Every page of a list, at most 1,000 items at a time. */
export async function allPages<Page extends { nextPageToken: string }, Item>(
  page: (pageToken: string) => Promise<Page>,
  itemsOf: (page: Page) => readonly Item[],
): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (let token = ''; ;) {
    const next = await page(token);
    items.push(...itemsOf(next));
    token = next.nextPageToken;
    if (token === '') return items;
  }
}

/** `champion=3 mlp=2`, with the move that is under way. */
export function showAliases(model: Pick<Model__Output, 'aliases'>): string {
  return model.aliases
    .map(({ alias, version, pending }) => {
      const now = Number(version) === 0 ? `${alias}=-` : `${alias}=${version}`;
      return pending ? `${now} (moving to ${pending.toVersion})` : now;
    })
    .join(' ');
}

/** `sluice models` */
export async function listModels(context: CliContext): Promise<void> {
  const { registry } = context.services;
  const models = await allPages(
    (pageToken) => registry.listModels({ pageToken, pageSize: 1000 }, { signal: context.signal }),
    (page) => page.models,
  );
  show(context, models, () =>
    models.length === 0
      ? 'no models yet: sluice push MODEL FOLDER makes the first'
      : showTable(
          ['model', 'versions', 'aliases', 'owner', 'description'],
          models.map((model) => [
            model.name,
            model.versionCount,
            showAliases(model),
            model.settings?.owner ?? '',
            model.settings?.description ?? '',
          ]),
        ),
  );
}

/** `sluice model show MODEL` */
export async function showModel(context: CliContext, name: string): Promise<void> {
  const answer = await context.services.registry.getModel({ name }, { signal: context.signal });
  show(context, answer, () => (answer.model ? describeModel(answer.model, answer.release) : name));
}

function describeModel(model: Model__Output, release: Release__Output | null): string {
  const own = release?.ownCapture ? captureLine(release.capture) : '';
  return showFields([
    ['model', model.name],
    ['description', model.settings?.description],
    ['owner', model.settings?.owner],
    ['approvals', approvalsText(model.settings?.approvalsRequired ?? 0)],
    ['versions', model.versionCount],
    ['aliases', showAliases(model) || 'none'],
    ['release', releaseLine(release)],
    ['capture', captureLine(model.settings?.capture)],
    ['', own && `of the release: ${own}`],
    ['labels', labelLine(model.settings?.labels)],
    ['created', `${showTime(model.createdAt)} by ${model.createdBy}`],
    ['revision', model.revision],
  ]);
}

/** Which label of a row counts, in words. */
export const labelLine = (labels: LabelPolicy__Output | null | undefined): string =>
  labels?.resolution === 'LABEL_RESOLUTION_TRUSTED_FIRST'
    ? `of ${labels.trustedSources.join(', then ')}; where none has one, the latest`
    : 'the latest, whoever it is from';

const approvalsText = (required: number): string =>
  required === 0
    ? '0: whoever pushed a version may make it champion'
    : `${required}: somebody else than the pusher approves a version before it becomes champion`;

export interface ModelChanges extends CaptureFlags {
  readonly owner?: string | undefined;
  readonly description?: string | undefined;
  readonly approvals?: number | undefined;
  readonly labels?: LabelChanges | undefined;
  readonly expectedRevision?: string | undefined;
}

/** `sluice model set MODEL` */
export async function setModel(context: CliContext, name: string, changes: ModelChanges): Promise<void> {
  const { owner, description, approvals, labels, expectedRevision } = changes;
  const capture = captureChanges(changes);
  if ([owner, description, approvals, labels, capture].every((change) => change === undefined)) {
    throw usageError(
      'nothing to change',
      'Give --owner, --description, --approvals, --labels, --capture, --retention, --durability or --redact.',
    );
  }
  const request = {
    name,
    ...(owner === undefined ? {} : { owner }),
    ...(description === undefined ? {} : { description }),
    ...(approvals === undefined ? {} : { approvalsRequired: approvals }),
    ...(capture ? { capture } : {}),
    ...(labels ? { labels } : {}),
    ...(expectedRevision === undefined ? {} : { expectedRevision }),
  };
  await context.services.registry.updateModel(request, { signal: context.signal });
  // Whole, with its aliases, and with what its release makes of the change.
  const { model, release } = await context.services.registry.getModel({ name }, { signal: context.signal });
  show(context, model, () => (model ? describeModel(model, release) : name));
}

/** `sluice runtimes`: live runtimes and routers, and what they have. */
export async function listRuntimes(context: CliContext): Promise<void> {
  const leases = await context.services.registry.listLeases({}, { signal: context.signal });
  if (context.json) {
    showJson(context, toJson(leases));
    return;
  }
  const { terminal } = context;
  if (leases.runtimes.length === 0) terminal.out('no runtimes: start a model-server');
  else terminal.out(showRuntimes(leases.runtimes));
  if (leases.quarantined.length > 0) {
    terminal.out(`\n${showQuarantines(leases.quarantined)}`);
    terminal.out('  way out: sluice quarantine lift MODEL VERSION');
  }
  terminal.out('');
  if (leases.routers.length === 0) terminal.out('no routers: start a router');
  else {
    const rows = leases.routers.map((router) => [
      router.routerId,
      router.live ? 'yes' : 'no',
      router.address,
      router.appliedRevision,
    ]);
    terminal.out(showTable(['router', 'live', 'address', 'revision applied'], rows));
  }
}

/** Runtimes with their devices, what they hold of their memory budgets, and their versions with why those that are not ready are not. */
export function showRuntimes(runtimes: readonly RuntimeLease__Output[]): string {
  return showTable(
    ['runtime', 'live', 'pool', 'address', 'devices', 'memory', 'versions'],
    runtimes.map((runtime) => [
      runtime.runtimeId,
      runtime.live ? 'yes' : 'no',
      runtime.pool,
      runtime.address,
      runtime.devices.map(showDevice).join(', ') || 'cpu',
      `${showBytes(runtime.memoryUsedBytes)} of ${showBytes(runtime.memoryBudgetBytes)}`,
      runtime.versions.map(showLoaded).join(', ') || 'none',
    ]),
  );
}

/** A device, and why it cannot be used. */
function showDevice({ name, state, detail }: { name: string; state: string; detail: string }): string {
  return state === 'DEVICE_STATE_AVAILABLE' ? name : `${name} missing (${detail})`;
}

/** A version with its state, and where it is if somebody asked for more than the CPU. */
function showLoaded(one: Omit<LoadedVersion__Output, 'state'> & { readonly state: string }): string {
  const state = showEnum(one.state, 'LOAD_STATE');
  const { devicesAsked: asked, devicesGot: got } = one;
  const where = got === '' ? asked : `${got} (asked: ${asked})`;
  const on = /^(cpu( ×\d+)?)?$/.test(asked) ? '' : ` on ${where}`;
  return `${one.model}:${one.version} ${state}${on}${one.reason ? ` (${one.reason})` : ''}`;
}
