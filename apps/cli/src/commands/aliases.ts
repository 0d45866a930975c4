import type { AliasMove__Output } from '@sluice/contracts/gen/sluice/registry/v1/AliasMove';
import type { GetStateAsOfResponse__Output } from '@sluice/contracts/gen/sluice/registry/v1/GetStateAsOfResponse';
import { championAlias } from '@sluice/domain/approval';
import { type CliContext, progress, show } from '../context.ts';
import { usageError } from '../exit-codes.ts';
import { showEnum, showFields, showTable, showTime } from '../format.ts';
import { followMove, type MoveEnd } from './follow-move.ts';
import { allPages, labelLine } from './models.ts';
import { captureLine, releaseLine } from './show-release.ts';
import { numberOf } from './versions.ts';

export interface MoveOptions {
  /** False for `--no-wait`. */
  readonly wait: boolean;
  /** How long runtimes may take to load the version, in seconds; 0 for the registry's default. */
  readonly timeoutSeconds: number;
  readonly expectedRevision?: string | undefined;
}

/** `sluice alias set MODEL ALIAS VERSION` */
export async function setAlias(
  context: CliContext,
  model: string,
  alias: string,
  text: string,
  options: MoveOptions,
): Promise<void> {
  const expectedRevision = await revisionSeen(context, model, alias, options.expectedRevision);
  await warnOfRelease(context, model, alias);
  const version = await numberOf(context, model, text);
  const request = { model, alias, version, expectedRevision, timeoutMs: Math.round(options.timeoutSeconds * 1000) };
  const { move } = await context.services.registry.moveAlias(request, { signal: context.signal });
  await finish(context, move!, options.wait);
}

/** `sluice rollback MODEL` */
export async function rollback(
  context: CliContext,
  model: string,
  options: Pick<MoveOptions, 'wait' | 'expectedRevision'>,
): Promise<void> {
  const expectedRevision = await revisionSeen(context, model, championAlias, options.expectedRevision);
  await warnOfRelease(context, model, championAlias);
  const { move } = await context.services.registry.rollback({ model, expectedRevision }, { signal: context.signal });
  progress(context, `rolling ${model} back from version ${move!.fromVersion} to ${move!.toVersion}`);
  await finish(context, move!, options.wait);
}

/**
 * The revision that a change of an alias is to find: what the person gave, else that of now. So of two who change it
 * at the same time one is refused, and a change that was made without its answer arriving is not made again.
 */
async function revisionSeen(context: CliContext, model: string, alias: string, given?: string): Promise<string> {
  if (given !== undefined) return given;
  const answer = await context.services.registry.getModel({ name: model }, { signal: context.signal });
  return answer.model?.aliases.find((one) => one.alias === alias)?.revision ?? '0';
}

/** Who moves champion mostly wants to move what answers, and a release that a person made stays where it is. */
async function warnOfRelease(context: CliContext, model: string, alias: string): Promise<void> {
  if (alias !== championAlias) return;
  const { release } = await context.services.registry.getModel({ name: model }, { signal: context.signal });
  if (!release || release.implicit) return;
  progress(
    context,
    `${model} has a release that a person made: moving ${championAlias} does not move what answers requests that name no ` +
      `version (sluice release show ${model})`,
  );
}

async function finish(context: CliContext, move: AliasMove__Output, wait: boolean): Promise<void> {
  if (!wait) {
    show(
      context,
      { move },
      () => `${nameOf(move)}: requested; sluice model show ${move.model} shows when it is in effect`,
    );
    return;
  }
  const end: MoveEnd = await followMove(context, move);
  show(context, end, () => {
    const count = end.routers.length;
    const applied =
      count === 0 ? 'no router is running' : `${count} ${count === 1 ? 'router has' : 'routers have'} applied it`;
    return `${end.move.model} ${end.move.alias} is version ${end.move.toVersion}; ${applied}`;
  });
}

const nameOf = (move: AliasMove__Output) => `${move.model} ${move.alias} to version ${move.toVersion}`;

/** `sluice alias cancel MODEL ALIAS` */
export async function cancelMove(context: CliContext, model: string, alias: string, expected?: string): Promise<void> {
  const request = { model, alias, expectedRevision: await revisionSeen(context, model, alias, expected) };
  const { move } = await context.services.registry.cancelAliasMove(request, { signal: context.signal });
  show(context, { move }, () => `${nameOf(move!)}: cancelled; ${alias} stays where it was`);
}

/** `sluice alias delete MODEL ALIAS` */
export async function deleteAlias(context: CliContext, model: string, alias: string, expected?: string): Promise<void> {
  const request = { model, alias, expectedRevision: await revisionSeen(context, model, alias, expected) };
  const answer = await context.services.registry.deleteAlias(request, { signal: context.signal });
  show(context, { model, alias, ...answer }, () => `${model} ${alias} is deleted; its history stays`);
}

/** `sluice alias history MODEL [ALIAS]` */
export async function aliasHistory(context: CliContext, model: string, alias: string): Promise<void> {
  const history = await wholeHistory(context, model, alias);
  show(context, history, () => {
    if (history.entries.length === 0 && history.moves.length === 0) return `${model} has no aliases yet`;
    const points = history.entries.map((entry) => [
      entry.alias,
      entry.version,
      showTime(entry.from),
      entry.to ? showTime(entry.to) : 'now',
      entry.actor,
      entry.revision,
    ]);
    const moves = history.moves.map((move) => [
      move.alias,
      move.toVersion,
      showEnum(move.state, 'ALIAS_MOVE_STATE'),
      showTime(move.requestedAt),
      showTime(move.endedAt),
      move.actor,
      move.reasons.join('; '),
    ]);
    return [
      showTable(['alias', 'version', 'from', 'to', 'by', 'revision'], points),
      '',
      showTable(['move of', 'to version', 'state', 'requested', 'ended', 'by', 'reasons'], moves),
    ].join('\n');
  });
}

/** Every page: stretches oldest first, moves newest first. */
async function wholeHistory(context: CliContext, model: string, alias: string) {
  const { registry } = context.services;
  const pages = await allPages(
    (pageToken) => registry.getAliasHistory({ model, alias, pageToken, pageSize: 1000 }, { signal: context.signal }),
    (page) => [page],
  );
  return {
    entries: pages.toReversed().flatMap((page) => page.entries),
    moves: pages.flatMap((page) => page.moves),
  };
}

/** A time that a person gave, as the registry takes it. */
export function timeOf(text: string): { seconds: number; nanos: number } {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) {
    throw usageError(`"${text}" is not a time`, 'Give one such as 2026-11-22T14:00:00Z; without Z it is local time.');
  }
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

/** The capture policy that was in force: the release's, which is mostly the model's. */
function captureThen(
  release: GetStateAsOfResponse__Output['release'],
  settings: GetStateAsOfResponse__Output['settings'],
): string {
  if (release) return `${captureLine(release.capture)}${release.ownCapture ? '; its own' : "; the model's"}`;
  return settings ? `${captureLine(settings.capture)}; the model's` : 'not known';
}

/** `sluice asof MODEL TIME`: what the settings, the aliases, the release and the versions were then. */
export async function stateAsOf(context: CliContext, model: string, text: string): Promise<void> {
  const time = timeOf(text);
  const { registry } = context.services;
  let page: GetStateAsOfResponse__Output | undefined;
  const all = await allPages(
    async (pageToken) =>
      (page = await registry.getStateAsOf({ model, time, pageToken, pageSize: 1000 }, { signal: context.signal })),
    (each) => each.versions,
  );
  const { aliases: then, release, settings } = page!;
  const state = { aliases: then, versions: all, release, settings };
  show(context, state, () => {
    const aliases = state.aliases.map((one) => [one.alias, one.version, showTime(one.from), one.actor]);
    const versions = state.versions.map((version) => [
      version.number,
      showEnum(version.state, 'VERSION_STATE'),
      showTime(version.createdAt),
      version.createdBy,
    ]);
    return [
      showFields([
        ['release', releaseLine(release) || 'none'],
        ['capture', captureThen(release, settings)],
        ['labels', settings ? labelLine(settings.labels) : 'not known'],
      ]),
      '',
      aliases.length === 0 ? 'no aliases' : showTable(['alias', 'version', 'since', 'by'], aliases),
      '',
      versions.length === 0 ? 'no versions' : showTable(['version', 'state', 'pushed', 'by'], versions),
    ].join('\n');
  });
}
