import { invalidArgument } from '@sluice/domain/errors';
import { isVisibleName } from '@sluice/domain/model';
import { checkModelName, clip } from '@sluice/domain/names';
import type { ArmRole } from '@sluice/domain/release';
import { armRoles } from '@sluice/domain/release';
import type { Format } from '@sluice/tabular/formats';
import { dayMs } from '../evidence/days.ts';
import type { AskedRange } from '../predictions/time-range.ts';
import { timeRange } from '../predictions/time-range.ts';
import type { LabelPolicy } from '../versions/registry-version.ts';
import type { ExportFilter, Horizon } from './export.ts';

/** What a caller asks for. */
export interface ExportRequest extends Omit<ExportFilter, 'range' | 'role'> {
  readonly range: AskedRange;
  /** Empty: all. */
  readonly role: string;
  readonly format: Format;
  /** Undefined: what the model says. */
  readonly labelPolicy: LabelPolicy | undefined;
  readonly withPayload: boolean;
  /** Of another manifest; empty: now. */
  readonly horizon: string;
  /** That the file is to be a version of; empty for none. */
  readonly dataSet: string;
  /** Who asks. */
  readonly actor: string;
}

export interface CheckedExport {
  readonly filter: ExportFilter;
  readonly horizon: Horizon | undefined;
}

export const mostVersions = 100;
const mostDays = 366;

/** @throws SluiceError invalid-argument naming the field */
export function checkExport(request: ExportRequest, nowMs: number): CheckedExport {
  const { model, versions, arm, status, label, dataSet } = request;
  checkModelName(model);
  if (dataSet !== '') checkModelName(dataSet, 'data_set', 'a name of a data set');
  if (versions.length > mostVersions)
    throw invalidArgument(`versions: ${versions.length} given; expected at most ${mostVersions}`);
  for (const field of ['from', 'to'] as const)
    if (request.range[`${field}Ms`] === undefined)
      throw invalidArgument(`${field}: missing; expected a time, with \`from\` at most ${mostDays} days before \`to\``);
  const range = timeRange(request.range, nowMs, mostDays * dayMs, ': export it in parts');
  return {
    filter: { model, versions, arm, status, label, range, role: readRole(request.role) },
    horizon: readHorizon(request.horizon),
  };
}

function readRole(text: string): ArmRole | undefined {
  if (text === '') return undefined;
  const role = armRoles.find((each) => each === text);
  if (role) return role;
  throw invalidArgument(`role: "${clip(text)}" given; expected one of ${armRoles.join(', ')}, or nothing for all`);
}

export const writeHorizon = ({ history, xid }: Horizon): string => `${history}:${xid}`;

const horizonText = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):(\d{1,19})$/;

function readHorizon(text: string): Horizon | undefined {
  if (text === '') return undefined;
  const [, history, xid] = horizonText.exec(text) ?? [];
  if (history === undefined || xid === undefined || !isVisibleName(text, 64))
    throw invalidArgument(`horizon: "${clip(text)}" given; expected that of a manifest, or nothing for now`);
  return { history, xid };
}
