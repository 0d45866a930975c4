// Original file: protos/sluice/registry/v1/types.proto

import type { VersionState as _sluice_registry_v1_VersionState, VersionState__Output as _sluice_registry_v1_VersionState__Output } from '../../../sluice/registry/v1/VersionState.ts';
import type { VersionFile as _sluice_registry_v1_VersionFile, VersionFile__Output as _sluice_registry_v1_VersionFile__Output } from '../../../sluice/registry/v1/VersionFile.ts';
import type { Signature as _sluice_registry_v1_Signature, Signature__Output as _sluice_registry_v1_Signature__Output } from '../../../sluice/registry/v1/Signature.ts';
import type { ServingConfig as _sluice_registry_v1_ServingConfig, ServingConfig__Output as _sluice_registry_v1_ServingConfig__Output } from '../../../sluice/registry/v1/ServingConfig.ts';
import type { AdmissionReport as _sluice_registry_v1_AdmissionReport, AdmissionReport__Output as _sluice_registry_v1_AdmissionReport__Output } from '../../../sluice/registry/v1/AdmissionReport.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Approval as _sluice_registry_v1_Approval, Approval__Output as _sluice_registry_v1_Approval__Output } from '../../../sluice/registry/v1/Approval.ts';
import type { Quarantine as _sluice_registry_v1_Quarantine, Quarantine__Output as _sluice_registry_v1_Quarantine__Output } from '../../../sluice/registry/v1/Quarantine.ts';
import type { DataSetRef as _sluice_registry_v1_DataSetRef, DataSetRef__Output as _sluice_registry_v1_DataSetRef__Output } from '../../../sluice/registry/v1/DataSetRef.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * An immutable, numbered attempt at a model.
 */
export interface Version {
  'model'?: (string);
  'number'?: (number | string | Long);
  'state'?: (_sluice_registry_v1_VersionState);
  /**
   * SHA-256 over the canonical list of the version's files (path, digest, size).
   */
  'digest'?: (string);
  'files'?: (_sluice_registry_v1_VersionFile)[];
  /**
   * Path of the ONNX graph among `files`.
   */
  'graphPath'?: (string);
  'signature'?: (_sluice_registry_v1_Signature | null);
  /**
   * Batching, instances and device as they will be used.
   */
  'serving'?: (_sluice_registry_v1_ServingConfig | null);
  /**
   * Everything else that `sluice.yaml` said, as canonical JSON.
   */
  'manifestJson'?: (string);
  'admission'?: (_sluice_registry_v1_AdmissionReport | null);
  'createdAt'?: (_google_protobuf_Timestamp | null);
  'createdBy'?: (string);
  /**
   * Leaf index of the version's own last change.
   */
  'revision'?: (number | string | Long);
  /**
   * Why it was rejected; empty otherwise.
   */
  'rejection'?: (string);
  'approvals'?: (_sluice_registry_v1_Approval)[];
  /**
   * Aliases that point here now.
   */
  'aliases'?: (string)[];
  'pinned'?: (boolean);
  'quarantines'?: (_sluice_registry_v1_Quarantine)[];
  /**
   * The run that made it; empty for none.
   */
  'run'?: (string);
  /**
   * What it was trained on, as whoever pushed it said.
   */
  'dataSets'?: (_sluice_registry_v1_DataSetRef)[];
}

/**
 * An immutable, numbered attempt at a model.
 */
export interface Version__Output {
  'model': (string);
  'number': (string);
  'state': (_sluice_registry_v1_VersionState__Output);
  /**
   * SHA-256 over the canonical list of the version's files (path, digest, size).
   */
  'digest': (string);
  'files': (_sluice_registry_v1_VersionFile__Output)[];
  /**
   * Path of the ONNX graph among `files`.
   */
  'graphPath': (string);
  'signature': (_sluice_registry_v1_Signature__Output | null);
  /**
   * Batching, instances and device as they will be used.
   */
  'serving': (_sluice_registry_v1_ServingConfig__Output | null);
  /**
   * Everything else that `sluice.yaml` said, as canonical JSON.
   */
  'manifestJson': (string);
  'admission': (_sluice_registry_v1_AdmissionReport__Output | null);
  'createdAt': (_google_protobuf_Timestamp__Output | null);
  'createdBy': (string);
  /**
   * Leaf index of the version's own last change.
   */
  'revision': (string);
  /**
   * Why it was rejected; empty otherwise.
   */
  'rejection': (string);
  'approvals': (_sluice_registry_v1_Approval__Output)[];
  /**
   * Aliases that point here now.
   */
  'aliases': (string)[];
  'pinned': (boolean);
  'quarantines': (_sluice_registry_v1_Quarantine__Output)[];
  /**
   * The run that made it; empty for none.
   */
  'run': (string);
  /**
   * What it was trained on, as whoever pushed it said.
   */
  'dataSets': (_sluice_registry_v1_DataSetRef__Output)[];
}
