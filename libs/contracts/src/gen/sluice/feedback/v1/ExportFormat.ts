// Original file: protos/sluice/feedback/v1/export.proto

export const ExportFormat = {
  EXPORT_FORMAT_UNSPECIFIED: 'EXPORT_FORMAT_UNSPECIFIED',
  EXPORT_FORMAT_CSV: 'EXPORT_FORMAT_CSV',
  EXPORT_FORMAT_JSON_LINES: 'EXPORT_FORMAT_JSON_LINES',
  EXPORT_FORMAT_PARQUET: 'EXPORT_FORMAT_PARQUET',
} as const;

export type ExportFormat =
  | 'EXPORT_FORMAT_UNSPECIFIED'
  | 0
  | 'EXPORT_FORMAT_CSV'
  | 1
  | 'EXPORT_FORMAT_JSON_LINES'
  | 2
  | 'EXPORT_FORMAT_PARQUET'
  | 3

export type ExportFormat__Output = typeof ExportFormat[keyof typeof ExportFormat]
