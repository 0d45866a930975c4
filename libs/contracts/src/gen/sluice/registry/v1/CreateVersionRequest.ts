// Original file: protos/sluice/registry/v1/registry.proto

import type { VersionFile as _sluice_registry_v1_VersionFile, VersionFile__Output as _sluice_registry_v1_VersionFile__Output } from '../../../sluice/registry/v1/VersionFile.ts';
import type { DataSetRef as _sluice_registry_v1_DataSetRef, DataSetRef__Output as _sluice_registry_v1_DataSetRef__Output } from '../../../sluice/registry/v1/DataSetRef.ts';

export interface CreateVersionRequest {
  'model'?: (string);
  /**
   * Files that were uploaded. One `*.onnx` file is the graph; `sluice.yaml` is read when it is there.
   */
  'files'?: (_sluice_registry_v1_VersionFile)[];
  'graphPath'?: (string);
  /**
   * Makes a retry safe: at most 128 characters, chosen by the caller, empty for none.
   */
  'requestId'?: (string);
  /**
   * The id of the run that makes it, which must be under way; empty for none. It stays with the version.
   */
  'run'?: (string);
  /**
   * What it was trained on: at most 256. They stay with the version.
   */
  'dataSets'?: (_sluice_registry_v1_DataSetRef)[];
}

export interface CreateVersionRequest__Output {
  'model': (string);
  /**
   * Files that were uploaded. One `*.onnx` file is the graph; `sluice.yaml` is read when it is there.
   */
  'files': (_sluice_registry_v1_VersionFile__Output)[];
  'graphPath': (string);
  /**
   * Makes a retry safe: at most 128 characters, chosen by the caller, empty for none.
   */
  'requestId': (string);
  /**
   * The id of the run that makes it, which must be under way; empty for none. It stays with the version.
   */
  'run': (string);
  /**
   * What it was trained on: at most 256. They stay with the version.
   */
  'dataSets': (_sluice_registry_v1_DataSetRef__Output)[];
}
