// Original file: protos/sluice/registry/v1/registry.proto

import type { UploadHeader as _sluice_registry_v1_UploadHeader, UploadHeader__Output as _sluice_registry_v1_UploadHeader__Output } from '../../../sluice/registry/v1/UploadHeader.ts';

export interface UploadArtifactRequest {
  'header'?: (_sluice_registry_v1_UploadHeader | null);
  'chunk'?: (Buffer | Uint8Array | string);
  'part'?: "header"|"chunk";
}

export interface UploadArtifactRequest__Output {
  'header'?: (_sluice_registry_v1_UploadHeader__Output | null);
  'chunk'?: (Buffer);
  'part'?: "header"|"chunk";
}
