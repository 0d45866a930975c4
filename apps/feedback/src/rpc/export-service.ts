import type { ExportRequest__Output } from '@sluice/contracts/gen/sluice/feedback/v1/ExportRequest';
import type { ExportServiceMethods } from '@sluice/contracts/services';
import { invalidArgument } from '@sluice/domain/errors';
import type { Handlers } from '@sluice/rpc/handlers';
import { watch } from '@sluice/rpc/handlers';
import type { ExportRequest } from '../exports/check-export.ts';
import type { Exports } from '../exports/exports.ts';
import { known, labels, readArm, readLabelPolicy, readTime, readVersions, statuses } from './decode-queries.ts';

/** Handlers of ExportService. */
export function exportHandlers(exports: Pick<Exports, 'export'>): Handlers<ExportServiceMethods> {
  return {
    export: watch(async function* (request, { signal, actor }) {
      for await (const message of exports.export(readExport(request, actor), signal)) {
        const { chunk, rows, bytes, rowsExpected, manifest } = message;
        yield {
          ...{ chunk, progress: { rows, bytes, rowsExpected } },
          ...(manifest && {
            manifest: {
              ...{ manifestJson: manifest.json, digest: manifest.digest, rows, bytes },
              columns: [...manifest.columns],
            },
          }),
        };
      }
    }),
  };
}

const formats = {
  EXPORT_FORMAT_CSV: 'csv',
  EXPORT_FORMAT_JSON_LINES: 'jsonl',
  EXPORT_FORMAT_PARQUET: 'parquet',
} as const;

const mostHorizonBytes = 64;

/** @throws SluiceError invalid-argument */
export function readExport(request: ExportRequest__Output, actor: string): ExportRequest {
  const { horizon } = request;
  if (Buffer.byteLength(horizon) > mostHorizonBytes)
    throw invalidArgument(`horizon: ${Buffer.byteLength(horizon)} bytes given; expected that of a manifest`);
  return {
    ...{ model: request.model, versions: readVersions(request.versions), arm: readArm(request.arm) },
    range: { fromMs: readTime(request.from, 'from'), toMs: readTime(request.to, 'to') },
    status: known(statuses, request.status, 'status'),
    label: known(labels, request.label, 'label'),
    labelPolicy: readLabelPolicy(request.labelPolicy),
    format: known(formats, request.format, 'format'),
    ...{ role: request.role, withPayload: request.withPayload, dataSet: request.dataSet, horizon, actor },
  };
}
