// Written by `nx generate contracts` from protos/**; do not edit.
import type { AppendEntriesRequest as sluice_registry_v1_AppendEntriesRequest, AppendEntriesRequest__Output as sluice_registry_v1_AppendEntriesRequest__Output } from './sluice/registry/v1/AppendEntriesRequest.ts';
import type { AppendEntriesResponse as sluice_registry_v1_AppendEntriesResponse, AppendEntriesResponse__Output as sluice_registry_v1_AppendEntriesResponse__Output } from './sluice/registry/v1/AppendEntriesResponse.ts';
import type { ApproveRequest as sluice_registry_v1_ApproveRequest, ApproveRequest__Output as sluice_registry_v1_ApproveRequest__Output } from './sluice/registry/v1/ApproveRequest.ts';
import type { ApproveResponse as sluice_registry_v1_ApproveResponse, ApproveResponse__Output as sluice_registry_v1_ApproveResponse__Output } from './sluice/registry/v1/ApproveResponse.ts';
import type { CancelAliasMoveRequest as sluice_registry_v1_CancelAliasMoveRequest, CancelAliasMoveRequest__Output as sluice_registry_v1_CancelAliasMoveRequest__Output } from './sluice/registry/v1/CancelAliasMoveRequest.ts';
import type { CancelAliasMoveResponse as sluice_registry_v1_CancelAliasMoveResponse, CancelAliasMoveResponse__Output as sluice_registry_v1_CancelAliasMoveResponse__Output } from './sluice/registry/v1/CancelAliasMoveResponse.ts';
import type { CreateDataSetVersionRequest as sluice_registry_v1_CreateDataSetVersionRequest, CreateDataSetVersionRequest__Output as sluice_registry_v1_CreateDataSetVersionRequest__Output } from './sluice/registry/v1/CreateDataSetVersionRequest.ts';
import type { CreateDataSetVersionResponse as sluice_registry_v1_CreateDataSetVersionResponse, CreateDataSetVersionResponse__Output as sluice_registry_v1_CreateDataSetVersionResponse__Output } from './sluice/registry/v1/CreateDataSetVersionResponse.ts';
import type { CreateModelRequest as sluice_registry_v1_CreateModelRequest, CreateModelRequest__Output as sluice_registry_v1_CreateModelRequest__Output } from './sluice/registry/v1/CreateModelRequest.ts';
import type { CreateModelResponse as sluice_registry_v1_CreateModelResponse, CreateModelResponse__Output as sluice_registry_v1_CreateModelResponse__Output } from './sluice/registry/v1/CreateModelResponse.ts';
import type { CreateVersionRequest as sluice_registry_v1_CreateVersionRequest, CreateVersionRequest__Output as sluice_registry_v1_CreateVersionRequest__Output } from './sluice/registry/v1/CreateVersionRequest.ts';
import type { CreateVersionResponse as sluice_registry_v1_CreateVersionResponse, CreateVersionResponse__Output as sluice_registry_v1_CreateVersionResponse__Output } from './sluice/registry/v1/CreateVersionResponse.ts';
import type { CudaSharedMemoryRegisterRequest as inference_CudaSharedMemoryRegisterRequest, CudaSharedMemoryRegisterRequest__Output as inference_CudaSharedMemoryRegisterRequest__Output } from './inference/CudaSharedMemoryRegisterRequest.ts';
import type { CudaSharedMemoryRegisterResponse as inference_CudaSharedMemoryRegisterResponse, CudaSharedMemoryRegisterResponse__Output as inference_CudaSharedMemoryRegisterResponse__Output } from './inference/CudaSharedMemoryRegisterResponse.ts';
import type { CudaSharedMemoryStatusRequest as inference_CudaSharedMemoryStatusRequest, CudaSharedMemoryStatusRequest__Output as inference_CudaSharedMemoryStatusRequest__Output } from './inference/CudaSharedMemoryStatusRequest.ts';
import type { CudaSharedMemoryStatusResponse as inference_CudaSharedMemoryStatusResponse, CudaSharedMemoryStatusResponse__Output as inference_CudaSharedMemoryStatusResponse__Output } from './inference/CudaSharedMemoryStatusResponse.ts';
import type { CudaSharedMemoryUnregisterRequest as inference_CudaSharedMemoryUnregisterRequest, CudaSharedMemoryUnregisterRequest__Output as inference_CudaSharedMemoryUnregisterRequest__Output } from './inference/CudaSharedMemoryUnregisterRequest.ts';
import type { CudaSharedMemoryUnregisterResponse as inference_CudaSharedMemoryUnregisterResponse, CudaSharedMemoryUnregisterResponse__Output as inference_CudaSharedMemoryUnregisterResponse__Output } from './inference/CudaSharedMemoryUnregisterResponse.ts';
import type { DeleteAliasRequest as sluice_registry_v1_DeleteAliasRequest, DeleteAliasRequest__Output as sluice_registry_v1_DeleteAliasRequest__Output } from './sluice/registry/v1/DeleteAliasRequest.ts';
import type { DeleteAliasResponse as sluice_registry_v1_DeleteAliasResponse, DeleteAliasResponse__Output as sluice_registry_v1_DeleteAliasResponse__Output } from './sluice/registry/v1/DeleteAliasResponse.ts';
import type { DeleteDeadLettersRequest as sluice_feedback_v1_DeleteDeadLettersRequest, DeleteDeadLettersRequest__Output as sluice_feedback_v1_DeleteDeadLettersRequest__Output } from './sluice/feedback/v1/DeleteDeadLettersRequest.ts';
import type { DeleteDeadLettersResponse as sluice_feedback_v1_DeleteDeadLettersResponse, DeleteDeadLettersResponse__Output as sluice_feedback_v1_DeleteDeadLettersResponse__Output } from './sluice/feedback/v1/DeleteDeadLettersResponse.ts';
import type { DeleteVersionRequest as sluice_registry_v1_DeleteVersionRequest, DeleteVersionRequest__Output as sluice_registry_v1_DeleteVersionRequest__Output } from './sluice/registry/v1/DeleteVersionRequest.ts';
import type { DeleteVersionResponse as sluice_registry_v1_DeleteVersionResponse, DeleteVersionResponse__Output as sluice_registry_v1_DeleteVersionResponse__Output } from './sluice/registry/v1/DeleteVersionResponse.ts';
import type { DownloadArtifactRequest as sluice_registry_v1_DownloadArtifactRequest, DownloadArtifactRequest__Output as sluice_registry_v1_DownloadArtifactRequest__Output } from './sluice/registry/v1/DownloadArtifactRequest.ts';
import type { DownloadArtifactResponse as sluice_registry_v1_DownloadArtifactResponse, DownloadArtifactResponse__Output as sluice_registry_v1_DownloadArtifactResponse__Output } from './sluice/registry/v1/DownloadArtifactResponse.ts';
import type { EndReleaseRequest as sluice_registry_v1_EndReleaseRequest, EndReleaseRequest__Output as sluice_registry_v1_EndReleaseRequest__Output } from './sluice/registry/v1/EndReleaseRequest.ts';
import type { EndReleaseResponse as sluice_registry_v1_EndReleaseResponse, EndReleaseResponse__Output as sluice_registry_v1_EndReleaseResponse__Output } from './sluice/registry/v1/EndReleaseResponse.ts';
import type { EndRunRequest as sluice_registry_v1_EndRunRequest, EndRunRequest__Output as sluice_registry_v1_EndRunRequest__Output } from './sluice/registry/v1/EndRunRequest.ts';
import type { EndRunResponse as sluice_registry_v1_EndRunResponse, EndRunResponse__Output as sluice_registry_v1_EndRunResponse__Output } from './sluice/registry/v1/EndRunResponse.ts';
import type { EraseSubjectRequest as sluice_feedback_v1_EraseSubjectRequest, EraseSubjectRequest__Output as sluice_feedback_v1_EraseSubjectRequest__Output } from './sluice/feedback/v1/EraseSubjectRequest.ts';
import type { EraseSubjectResponse as sluice_feedback_v1_EraseSubjectResponse, EraseSubjectResponse__Output as sluice_feedback_v1_EraseSubjectResponse__Output } from './sluice/feedback/v1/EraseSubjectResponse.ts';
import type { ExportRequest as sluice_feedback_v1_ExportRequest, ExportRequest__Output as sluice_feedback_v1_ExportRequest__Output } from './sluice/feedback/v1/ExportRequest.ts';
import type { ExportResponse as sluice_feedback_v1_ExportResponse, ExportResponse__Output as sluice_feedback_v1_ExportResponse__Output } from './sluice/feedback/v1/ExportResponse.ts';
import type { ForgetSpoolRequest as sluice_feedback_v1_ForgetSpoolRequest, ForgetSpoolRequest__Output as sluice_feedback_v1_ForgetSpoolRequest__Output } from './sluice/feedback/v1/ForgetSpoolRequest.ts';
import type { ForgetSpoolResponse as sluice_feedback_v1_ForgetSpoolResponse, ForgetSpoolResponse__Output as sluice_feedback_v1_ForgetSpoolResponse__Output } from './sluice/feedback/v1/ForgetSpoolResponse.ts';
import type { GetAliasHistoryRequest as sluice_registry_v1_GetAliasHistoryRequest, GetAliasHistoryRequest__Output as sluice_registry_v1_GetAliasHistoryRequest__Output } from './sluice/registry/v1/GetAliasHistoryRequest.ts';
import type { GetAliasHistoryResponse as sluice_registry_v1_GetAliasHistoryResponse, GetAliasHistoryResponse__Output as sluice_registry_v1_GetAliasHistoryResponse__Output } from './sluice/registry/v1/GetAliasHistoryResponse.ts';
import type { GetAssignmentRequest as sluice_registry_v1_GetAssignmentRequest, GetAssignmentRequest__Output as sluice_registry_v1_GetAssignmentRequest__Output } from './sluice/registry/v1/GetAssignmentRequest.ts';
import type { GetAssignmentResponse as sluice_registry_v1_GetAssignmentResponse, GetAssignmentResponse__Output as sluice_registry_v1_GetAssignmentResponse__Output } from './sluice/registry/v1/GetAssignmentResponse.ts';
import type { GetAuditKeyRequest as sluice_registry_v1_GetAuditKeyRequest, GetAuditKeyRequest__Output as sluice_registry_v1_GetAuditKeyRequest__Output } from './sluice/registry/v1/GetAuditKeyRequest.ts';
import type { GetAuditKeyResponse as sluice_registry_v1_GetAuditKeyResponse, GetAuditKeyResponse__Output as sluice_registry_v1_GetAuditKeyResponse__Output } from './sluice/registry/v1/GetAuditKeyResponse.ts';
import type { GetConsistencyProofRequest as sluice_registry_v1_GetConsistencyProofRequest, GetConsistencyProofRequest__Output as sluice_registry_v1_GetConsistencyProofRequest__Output } from './sluice/registry/v1/GetConsistencyProofRequest.ts';
import type { GetConsistencyProofResponse as sluice_registry_v1_GetConsistencyProofResponse, GetConsistencyProofResponse__Output as sluice_registry_v1_GetConsistencyProofResponse__Output } from './sluice/registry/v1/GetConsistencyProofResponse.ts';
import type { GetDataSetVersionRequest as sluice_registry_v1_GetDataSetVersionRequest, GetDataSetVersionRequest__Output as sluice_registry_v1_GetDataSetVersionRequest__Output } from './sluice/registry/v1/GetDataSetVersionRequest.ts';
import type { GetDataSetVersionResponse as sluice_registry_v1_GetDataSetVersionResponse, GetDataSetVersionResponse__Output as sluice_registry_v1_GetDataSetVersionResponse__Output } from './sluice/registry/v1/GetDataSetVersionResponse.ts';
import type { GetErasureRequest as sluice_feedback_v1_GetErasureRequest, GetErasureRequest__Output as sluice_feedback_v1_GetErasureRequest__Output } from './sluice/feedback/v1/GetErasureRequest.ts';
import type { GetErasureResponse as sluice_feedback_v1_GetErasureResponse, GetErasureResponse__Output as sluice_feedback_v1_GetErasureResponse__Output } from './sluice/feedback/v1/GetErasureResponse.ts';
import type { GetInclusionProofRequest as sluice_registry_v1_GetInclusionProofRequest, GetInclusionProofRequest__Output as sluice_registry_v1_GetInclusionProofRequest__Output } from './sluice/registry/v1/GetInclusionProofRequest.ts';
import type { GetInclusionProofResponse as sluice_registry_v1_GetInclusionProofResponse, GetInclusionProofResponse__Output as sluice_registry_v1_GetInclusionProofResponse__Output } from './sluice/registry/v1/GetInclusionProofResponse.ts';
import type { GetLatestCheckpointRequest as sluice_registry_v1_GetLatestCheckpointRequest, GetLatestCheckpointRequest__Output as sluice_registry_v1_GetLatestCheckpointRequest__Output } from './sluice/registry/v1/GetLatestCheckpointRequest.ts';
import type { GetLatestCheckpointResponse as sluice_registry_v1_GetLatestCheckpointResponse, GetLatestCheckpointResponse__Output as sluice_registry_v1_GetLatestCheckpointResponse__Output } from './sluice/registry/v1/GetLatestCheckpointResponse.ts';
import type { GetLineageRequest as sluice_registry_v1_GetLineageRequest, GetLineageRequest__Output as sluice_registry_v1_GetLineageRequest__Output } from './sluice/registry/v1/GetLineageRequest.ts';
import type { GetLineageResponse as sluice_registry_v1_GetLineageResponse, GetLineageResponse__Output as sluice_registry_v1_GetLineageResponse__Output } from './sluice/registry/v1/GetLineageResponse.ts';
import type { GetModelRequest as sluice_registry_v1_GetModelRequest, GetModelRequest__Output as sluice_registry_v1_GetModelRequest__Output } from './sluice/registry/v1/GetModelRequest.ts';
import type { GetModelResponse as sluice_registry_v1_GetModelResponse, GetModelResponse__Output as sluice_registry_v1_GetModelResponse__Output } from './sluice/registry/v1/GetModelResponse.ts';
import type { GetPredictionRequest as sluice_feedback_v1_GetPredictionRequest, GetPredictionRequest__Output as sluice_feedback_v1_GetPredictionRequest__Output } from './sluice/feedback/v1/GetPredictionRequest.ts';
import type { GetPredictionResponse as sluice_feedback_v1_GetPredictionResponse, GetPredictionResponse__Output as sluice_feedback_v1_GetPredictionResponse__Output } from './sluice/feedback/v1/GetPredictionResponse.ts';
import type { GetRunRequest as sluice_registry_v1_GetRunRequest, GetRunRequest__Output as sluice_registry_v1_GetRunRequest__Output } from './sluice/registry/v1/GetRunRequest.ts';
import type { GetRunResponse as sluice_registry_v1_GetRunResponse, GetRunResponse__Output as sluice_registry_v1_GetRunResponse__Output } from './sluice/registry/v1/GetRunResponse.ts';
import type { GetStateAsOfRequest as sluice_registry_v1_GetStateAsOfRequest, GetStateAsOfRequest__Output as sluice_registry_v1_GetStateAsOfRequest__Output } from './sluice/registry/v1/GetStateAsOfRequest.ts';
import type { GetStateAsOfResponse as sluice_registry_v1_GetStateAsOfResponse, GetStateAsOfResponse__Output as sluice_registry_v1_GetStateAsOfResponse__Output } from './sluice/registry/v1/GetStateAsOfResponse.ts';
import type { GetStateRequest as sluice_admin_v1_GetStateRequest, GetStateRequest__Output as sluice_admin_v1_GetStateRequest__Output } from './sluice/admin/v1/GetStateRequest.ts';
import type { GetStateResponse as sluice_admin_v1_GetStateResponse, GetStateResponse__Output as sluice_admin_v1_GetStateResponse__Output } from './sluice/admin/v1/GetStateResponse.ts';
import type { GetStatisticsRequest as sluice_feedback_v1_GetStatisticsRequest, GetStatisticsRequest__Output as sluice_feedback_v1_GetStatisticsRequest__Output } from './sluice/feedback/v1/GetStatisticsRequest.ts';
import type { GetStatisticsResponse as sluice_feedback_v1_GetStatisticsResponse, GetStatisticsResponse__Output as sluice_feedback_v1_GetStatisticsResponse__Output } from './sluice/feedback/v1/GetStatisticsResponse.ts';
import type { GetVersionRequest as sluice_registry_v1_GetVersionRequest, GetVersionRequest__Output as sluice_registry_v1_GetVersionRequest__Output } from './sluice/registry/v1/GetVersionRequest.ts';
import type { GetVersionResponse as sluice_registry_v1_GetVersionResponse, GetVersionResponse__Output as sluice_registry_v1_GetVersionResponse__Output } from './sluice/registry/v1/GetVersionResponse.ts';
import type { IngestRequest as sluice_feedback_v1_IngestRequest, IngestRequest__Output as sluice_feedback_v1_IngestRequest__Output } from './sluice/feedback/v1/IngestRequest.ts';
import type { IngestResponse as sluice_feedback_v1_IngestResponse, IngestResponse__Output as sluice_feedback_v1_IngestResponse__Output } from './sluice/feedback/v1/IngestResponse.ts';
import type { LiftQuarantineRequest as sluice_registry_v1_LiftQuarantineRequest, LiftQuarantineRequest__Output as sluice_registry_v1_LiftQuarantineRequest__Output } from './sluice/registry/v1/LiftQuarantineRequest.ts';
import type { LiftQuarantineResponse as sluice_registry_v1_LiftQuarantineResponse, LiftQuarantineResponse__Output as sluice_registry_v1_LiftQuarantineResponse__Output } from './sluice/registry/v1/LiftQuarantineResponse.ts';
import type { LinkRequest as sluice_runtime_v1_LinkRequest, LinkRequest__Output as sluice_runtime_v1_LinkRequest__Output } from './sluice/runtime/v1/LinkRequest.ts';
import type { LinkResponse as sluice_runtime_v1_LinkResponse, LinkResponse__Output as sluice_runtime_v1_LinkResponse__Output } from './sluice/runtime/v1/LinkResponse.ts';
import type { ListAuditEntriesRequest as sluice_registry_v1_ListAuditEntriesRequest, ListAuditEntriesRequest__Output as sluice_registry_v1_ListAuditEntriesRequest__Output } from './sluice/registry/v1/ListAuditEntriesRequest.ts';
import type { ListAuditEntriesResponse as sluice_registry_v1_ListAuditEntriesResponse, ListAuditEntriesResponse__Output as sluice_registry_v1_ListAuditEntriesResponse__Output } from './sluice/registry/v1/ListAuditEntriesResponse.ts';
import type { ListDataSetVersionsRequest as sluice_registry_v1_ListDataSetVersionsRequest, ListDataSetVersionsRequest__Output as sluice_registry_v1_ListDataSetVersionsRequest__Output } from './sluice/registry/v1/ListDataSetVersionsRequest.ts';
import type { ListDataSetVersionsResponse as sluice_registry_v1_ListDataSetVersionsResponse, ListDataSetVersionsResponse__Output as sluice_registry_v1_ListDataSetVersionsResponse__Output } from './sluice/registry/v1/ListDataSetVersionsResponse.ts';
import type { ListDataSetsRequest as sluice_registry_v1_ListDataSetsRequest, ListDataSetsRequest__Output as sluice_registry_v1_ListDataSetsRequest__Output } from './sluice/registry/v1/ListDataSetsRequest.ts';
import type { ListDataSetsResponse as sluice_registry_v1_ListDataSetsResponse, ListDataSetsResponse__Output as sluice_registry_v1_ListDataSetsResponse__Output } from './sluice/registry/v1/ListDataSetsResponse.ts';
import type { ListDeadLettersRequest as sluice_feedback_v1_ListDeadLettersRequest, ListDeadLettersRequest__Output as sluice_feedback_v1_ListDeadLettersRequest__Output } from './sluice/feedback/v1/ListDeadLettersRequest.ts';
import type { ListDeadLettersResponse as sluice_feedback_v1_ListDeadLettersResponse, ListDeadLettersResponse__Output as sluice_feedback_v1_ListDeadLettersResponse__Output } from './sluice/feedback/v1/ListDeadLettersResponse.ts';
import type { ListErasuresRequest as sluice_feedback_v1_ListErasuresRequest, ListErasuresRequest__Output as sluice_feedback_v1_ListErasuresRequest__Output } from './sluice/feedback/v1/ListErasuresRequest.ts';
import type { ListErasuresResponse as sluice_feedback_v1_ListErasuresResponse, ListErasuresResponse__Output as sluice_feedback_v1_ListErasuresResponse__Output } from './sluice/feedback/v1/ListErasuresResponse.ts';
import type { ListLeasesRequest as sluice_registry_v1_ListLeasesRequest, ListLeasesRequest__Output as sluice_registry_v1_ListLeasesRequest__Output } from './sluice/registry/v1/ListLeasesRequest.ts';
import type { ListLeasesResponse as sluice_registry_v1_ListLeasesResponse, ListLeasesResponse__Output as sluice_registry_v1_ListLeasesResponse__Output } from './sluice/registry/v1/ListLeasesResponse.ts';
import type { ListModelsRequest as sluice_registry_v1_ListModelsRequest, ListModelsRequest__Output as sluice_registry_v1_ListModelsRequest__Output } from './sluice/registry/v1/ListModelsRequest.ts';
import type { ListModelsResponse as sluice_registry_v1_ListModelsResponse, ListModelsResponse__Output as sluice_registry_v1_ListModelsResponse__Output } from './sluice/registry/v1/ListModelsResponse.ts';
import type { ListPredictionsRequest as sluice_feedback_v1_ListPredictionsRequest, ListPredictionsRequest__Output as sluice_feedback_v1_ListPredictionsRequest__Output } from './sluice/feedback/v1/ListPredictionsRequest.ts';
import type { ListPredictionsResponse as sluice_feedback_v1_ListPredictionsResponse, ListPredictionsResponse__Output as sluice_feedback_v1_ListPredictionsResponse__Output } from './sluice/feedback/v1/ListPredictionsResponse.ts';
import type { ListRunsRequest as sluice_registry_v1_ListRunsRequest, ListRunsRequest__Output as sluice_registry_v1_ListRunsRequest__Output } from './sluice/registry/v1/ListRunsRequest.ts';
import type { ListRunsResponse as sluice_registry_v1_ListRunsResponse, ListRunsResponse__Output as sluice_registry_v1_ListRunsResponse__Output } from './sluice/registry/v1/ListRunsResponse.ts';
import type { ListSpoolsRequest as sluice_feedback_v1_ListSpoolsRequest, ListSpoolsRequest__Output as sluice_feedback_v1_ListSpoolsRequest__Output } from './sluice/feedback/v1/ListSpoolsRequest.ts';
import type { ListSpoolsResponse as sluice_feedback_v1_ListSpoolsResponse, ListSpoolsResponse__Output as sluice_feedback_v1_ListSpoolsResponse__Output } from './sluice/feedback/v1/ListSpoolsResponse.ts';
import type { ListUnmatchedLabelsRequest as sluice_feedback_v1_ListUnmatchedLabelsRequest, ListUnmatchedLabelsRequest__Output as sluice_feedback_v1_ListUnmatchedLabelsRequest__Output } from './sluice/feedback/v1/ListUnmatchedLabelsRequest.ts';
import type { ListUnmatchedLabelsResponse as sluice_feedback_v1_ListUnmatchedLabelsResponse, ListUnmatchedLabelsResponse__Output as sluice_feedback_v1_ListUnmatchedLabelsResponse__Output } from './sluice/feedback/v1/ListUnmatchedLabelsResponse.ts';
import type { ListVersionsRequest as sluice_registry_v1_ListVersionsRequest, ListVersionsRequest__Output as sluice_registry_v1_ListVersionsRequest__Output } from './sluice/registry/v1/ListVersionsRequest.ts';
import type { ListVersionsResponse as sluice_registry_v1_ListVersionsResponse, ListVersionsResponse__Output as sluice_registry_v1_ListVersionsResponse__Output } from './sluice/registry/v1/ListVersionsResponse.ts';
import type { LoadVersionRequest as sluice_runtime_v1_LoadVersionRequest, LoadVersionRequest__Output as sluice_runtime_v1_LoadVersionRequest__Output } from './sluice/runtime/v1/LoadVersionRequest.ts';
import type { LoadVersionResponse as sluice_runtime_v1_LoadVersionResponse, LoadVersionResponse__Output as sluice_runtime_v1_LoadVersionResponse__Output } from './sluice/runtime/v1/LoadVersionResponse.ts';
import type { LocateSequenceRequest as sluice_runtime_v1_LocateSequenceRequest, LocateSequenceRequest__Output as sluice_runtime_v1_LocateSequenceRequest__Output } from './sluice/runtime/v1/LocateSequenceRequest.ts';
import type { LocateSequenceResponse as sluice_runtime_v1_LocateSequenceResponse, LocateSequenceResponse__Output as sluice_runtime_v1_LocateSequenceResponse__Output } from './sluice/runtime/v1/LocateSequenceResponse.ts';
import type { LogSettingsRequest as inference_LogSettingsRequest, LogSettingsRequest__Output as inference_LogSettingsRequest__Output } from './inference/LogSettingsRequest.ts';
import type { LogSettingsResponse as inference_LogSettingsResponse, LogSettingsResponse__Output as inference_LogSettingsResponse__Output } from './inference/LogSettingsResponse.ts';
import type { ModelConfigRequest as inference_ModelConfigRequest, ModelConfigRequest__Output as inference_ModelConfigRequest__Output } from './inference/ModelConfigRequest.ts';
import type { ModelConfigResponse as inference_ModelConfigResponse, ModelConfigResponse__Output as inference_ModelConfigResponse__Output } from './inference/ModelConfigResponse.ts';
import type { ModelInferRequest as inference_ModelInferRequest, ModelInferRequest__Output as inference_ModelInferRequest__Output } from './inference/ModelInferRequest.ts';
import type { ModelInferResponse as inference_ModelInferResponse, ModelInferResponse__Output as inference_ModelInferResponse__Output } from './inference/ModelInferResponse.ts';
import type { ModelMetadataRequest as inference_ModelMetadataRequest, ModelMetadataRequest__Output as inference_ModelMetadataRequest__Output } from './inference/ModelMetadataRequest.ts';
import type { ModelMetadataResponse as inference_ModelMetadataResponse, ModelMetadataResponse__Output as inference_ModelMetadataResponse__Output } from './inference/ModelMetadataResponse.ts';
import type { ModelReadyRequest as inference_ModelReadyRequest, ModelReadyRequest__Output as inference_ModelReadyRequest__Output } from './inference/ModelReadyRequest.ts';
import type { ModelReadyResponse as inference_ModelReadyResponse, ModelReadyResponse__Output as inference_ModelReadyResponse__Output } from './inference/ModelReadyResponse.ts';
import type { ModelStatisticsRequest as inference_ModelStatisticsRequest, ModelStatisticsRequest__Output as inference_ModelStatisticsRequest__Output } from './inference/ModelStatisticsRequest.ts';
import type { ModelStatisticsResponse as inference_ModelStatisticsResponse, ModelStatisticsResponse__Output as inference_ModelStatisticsResponse__Output } from './inference/ModelStatisticsResponse.ts';
import type { ModelStreamInferResponse as inference_ModelStreamInferResponse, ModelStreamInferResponse__Output as inference_ModelStreamInferResponse__Output } from './inference/ModelStreamInferResponse.ts';
import type { MoveAliasRequest as sluice_registry_v1_MoveAliasRequest, MoveAliasRequest__Output as sluice_registry_v1_MoveAliasRequest__Output } from './sluice/registry/v1/MoveAliasRequest.ts';
import type { MoveAliasResponse as sluice_registry_v1_MoveAliasResponse, MoveAliasResponse__Output as sluice_registry_v1_MoveAliasResponse__Output } from './sluice/registry/v1/MoveAliasResponse.ts';
import type { PinVersionRequest as sluice_registry_v1_PinVersionRequest, PinVersionRequest__Output as sluice_registry_v1_PinVersionRequest__Output } from './sluice/registry/v1/PinVersionRequest.ts';
import type { PinVersionResponse as sluice_registry_v1_PinVersionResponse, PinVersionResponse__Output as sluice_registry_v1_PinVersionResponse__Output } from './sluice/registry/v1/PinVersionResponse.ts';
import type { PutReleaseRequest as sluice_registry_v1_PutReleaseRequest, PutReleaseRequest__Output as sluice_registry_v1_PutReleaseRequest__Output } from './sluice/registry/v1/PutReleaseRequest.ts';
import type { PutReleaseResponse as sluice_registry_v1_PutReleaseResponse, PutReleaseResponse__Output as sluice_registry_v1_PutReleaseResponse__Output } from './sluice/registry/v1/PutReleaseResponse.ts';
import type { RecordFeedbackRequest as sluice_feedback_v1_RecordFeedbackRequest, RecordFeedbackRequest__Output as sluice_feedback_v1_RecordFeedbackRequest__Output } from './sluice/feedback/v1/RecordFeedbackRequest.ts';
import type { RecordFeedbackResponse as sluice_feedback_v1_RecordFeedbackResponse, RecordFeedbackResponse__Output as sluice_feedback_v1_RecordFeedbackResponse__Output } from './sluice/feedback/v1/RecordFeedbackResponse.ts';
import type { RecordLabelsRequest as sluice_feedback_v1_RecordLabelsRequest, RecordLabelsRequest__Output as sluice_feedback_v1_RecordLabelsRequest__Output } from './sluice/feedback/v1/RecordLabelsRequest.ts';
import type { RecordLabelsResponse as sluice_feedback_v1_RecordLabelsResponse, RecordLabelsResponse__Output as sluice_feedback_v1_RecordLabelsResponse__Output } from './sluice/feedback/v1/RecordLabelsResponse.ts';
import type { ReleaseLeaseRequest as sluice_registry_v1_ReleaseLeaseRequest, ReleaseLeaseRequest__Output as sluice_registry_v1_ReleaseLeaseRequest__Output } from './sluice/registry/v1/ReleaseLeaseRequest.ts';
import type { ReleaseLeaseResponse as sluice_registry_v1_ReleaseLeaseResponse, ReleaseLeaseResponse__Output as sluice_registry_v1_ReleaseLeaseResponse__Output } from './sluice/registry/v1/ReleaseLeaseResponse.ts';
import type { RenewRouterLeaseRequest as sluice_registry_v1_RenewRouterLeaseRequest, RenewRouterLeaseRequest__Output as sluice_registry_v1_RenewRouterLeaseRequest__Output } from './sluice/registry/v1/RenewRouterLeaseRequest.ts';
import type { RenewRouterLeaseResponse as sluice_registry_v1_RenewRouterLeaseResponse, RenewRouterLeaseResponse__Output as sluice_registry_v1_RenewRouterLeaseResponse__Output } from './sluice/registry/v1/RenewRouterLeaseResponse.ts';
import type { RenewRuntimeLeaseRequest as sluice_registry_v1_RenewRuntimeLeaseRequest, RenewRuntimeLeaseRequest__Output as sluice_registry_v1_RenewRuntimeLeaseRequest__Output } from './sluice/registry/v1/RenewRuntimeLeaseRequest.ts';
import type { RenewRuntimeLeaseResponse as sluice_registry_v1_RenewRuntimeLeaseResponse, RenewRuntimeLeaseResponse__Output as sluice_registry_v1_RenewRuntimeLeaseResponse__Output } from './sluice/registry/v1/RenewRuntimeLeaseResponse.ts';
import type { ReplayDeadLettersRequest as sluice_feedback_v1_ReplayDeadLettersRequest, ReplayDeadLettersRequest__Output as sluice_feedback_v1_ReplayDeadLettersRequest__Output } from './sluice/feedback/v1/ReplayDeadLettersRequest.ts';
import type { ReplayDeadLettersResponse as sluice_feedback_v1_ReplayDeadLettersResponse, ReplayDeadLettersResponse__Output as sluice_feedback_v1_ReplayDeadLettersResponse__Output } from './sluice/feedback/v1/ReplayDeadLettersResponse.ts';
import type { ReportStrikeRequest as sluice_registry_v1_ReportStrikeRequest, ReportStrikeRequest__Output as sluice_registry_v1_ReportStrikeRequest__Output } from './sluice/registry/v1/ReportStrikeRequest.ts';
import type { ReportStrikeResponse as sluice_registry_v1_ReportStrikeResponse, ReportStrikeResponse__Output as sluice_registry_v1_ReportStrikeResponse__Output } from './sluice/registry/v1/ReportStrikeResponse.ts';
import type { RepositoryIndexRequest as inference_RepositoryIndexRequest, RepositoryIndexRequest__Output as inference_RepositoryIndexRequest__Output } from './inference/RepositoryIndexRequest.ts';
import type { RepositoryIndexResponse as inference_RepositoryIndexResponse, RepositoryIndexResponse__Output as inference_RepositoryIndexResponse__Output } from './inference/RepositoryIndexResponse.ts';
import type { RepositoryModelLoadRequest as inference_RepositoryModelLoadRequest, RepositoryModelLoadRequest__Output as inference_RepositoryModelLoadRequest__Output } from './inference/RepositoryModelLoadRequest.ts';
import type { RepositoryModelLoadResponse as inference_RepositoryModelLoadResponse, RepositoryModelLoadResponse__Output as inference_RepositoryModelLoadResponse__Output } from './inference/RepositoryModelLoadResponse.ts';
import type { RepositoryModelUnloadRequest as inference_RepositoryModelUnloadRequest, RepositoryModelUnloadRequest__Output as inference_RepositoryModelUnloadRequest__Output } from './inference/RepositoryModelUnloadRequest.ts';
import type { RepositoryModelUnloadResponse as inference_RepositoryModelUnloadResponse, RepositoryModelUnloadResponse__Output as inference_RepositoryModelUnloadResponse__Output } from './inference/RepositoryModelUnloadResponse.ts';
import type { RollbackRequest as sluice_registry_v1_RollbackRequest, RollbackRequest__Output as sluice_registry_v1_RollbackRequest__Output } from './sluice/registry/v1/RollbackRequest.ts';
import type { RollbackResponse as sluice_registry_v1_RollbackResponse, RollbackResponse__Output as sluice_registry_v1_RollbackResponse__Output } from './sluice/registry/v1/RollbackResponse.ts';
import type { ServerLiveRequest as inference_ServerLiveRequest, ServerLiveRequest__Output as inference_ServerLiveRequest__Output } from './inference/ServerLiveRequest.ts';
import type { ServerLiveResponse as inference_ServerLiveResponse, ServerLiveResponse__Output as inference_ServerLiveResponse__Output } from './inference/ServerLiveResponse.ts';
import type { ServerMetadataRequest as inference_ServerMetadataRequest, ServerMetadataRequest__Output as inference_ServerMetadataRequest__Output } from './inference/ServerMetadataRequest.ts';
import type { ServerMetadataResponse as inference_ServerMetadataResponse, ServerMetadataResponse__Output as inference_ServerMetadataResponse__Output } from './inference/ServerMetadataResponse.ts';
import type { ServerReadyRequest as inference_ServerReadyRequest, ServerReadyRequest__Output as inference_ServerReadyRequest__Output } from './inference/ServerReadyRequest.ts';
import type { ServerReadyResponse as inference_ServerReadyResponse, ServerReadyResponse__Output as inference_ServerReadyResponse__Output } from './inference/ServerReadyResponse.ts';
import type { StartRunRequest as sluice_registry_v1_StartRunRequest, StartRunRequest__Output as sluice_registry_v1_StartRunRequest__Output } from './sluice/registry/v1/StartRunRequest.ts';
import type { StartRunResponse as sluice_registry_v1_StartRunResponse, StartRunResponse__Output as sluice_registry_v1_StartRunResponse__Output } from './sluice/registry/v1/StartRunResponse.ts';
import type { StatArtifactsRequest as sluice_registry_v1_StatArtifactsRequest, StatArtifactsRequest__Output as sluice_registry_v1_StatArtifactsRequest__Output } from './sluice/registry/v1/StatArtifactsRequest.ts';
import type { StatArtifactsResponse as sluice_registry_v1_StatArtifactsResponse, StatArtifactsResponse__Output as sluice_registry_v1_StatArtifactsResponse__Output } from './sluice/registry/v1/StatArtifactsResponse.ts';
import type { StreamFeedbackRequest as sluice_feedback_v1_StreamFeedbackRequest, StreamFeedbackRequest__Output as sluice_feedback_v1_StreamFeedbackRequest__Output } from './sluice/feedback/v1/StreamFeedbackRequest.ts';
import type { StreamFeedbackResponse as sluice_feedback_v1_StreamFeedbackResponse, StreamFeedbackResponse__Output as sluice_feedback_v1_StreamFeedbackResponse__Output } from './sluice/feedback/v1/StreamFeedbackResponse.ts';
import type { StreamLabelsRequest as sluice_feedback_v1_StreamLabelsRequest, StreamLabelsRequest__Output as sluice_feedback_v1_StreamLabelsRequest__Output } from './sluice/feedback/v1/StreamLabelsRequest.ts';
import type { StreamLabelsResponse as sluice_feedback_v1_StreamLabelsResponse, StreamLabelsResponse__Output as sluice_feedback_v1_StreamLabelsResponse__Output } from './sluice/feedback/v1/StreamLabelsResponse.ts';
import type { SubscribeRequest as sluice_feedback_v1_SubscribeRequest, SubscribeRequest__Output as sluice_feedback_v1_SubscribeRequest__Output } from './sluice/feedback/v1/SubscribeRequest.ts';
import type { SubscribeResponse as sluice_feedback_v1_SubscribeResponse, SubscribeResponse__Output as sluice_feedback_v1_SubscribeResponse__Output } from './sluice/feedback/v1/SubscribeResponse.ts';
import type { SystemSharedMemoryRegisterRequest as inference_SystemSharedMemoryRegisterRequest, SystemSharedMemoryRegisterRequest__Output as inference_SystemSharedMemoryRegisterRequest__Output } from './inference/SystemSharedMemoryRegisterRequest.ts';
import type { SystemSharedMemoryRegisterResponse as inference_SystemSharedMemoryRegisterResponse, SystemSharedMemoryRegisterResponse__Output as inference_SystemSharedMemoryRegisterResponse__Output } from './inference/SystemSharedMemoryRegisterResponse.ts';
import type { SystemSharedMemoryStatusRequest as inference_SystemSharedMemoryStatusRequest, SystemSharedMemoryStatusRequest__Output as inference_SystemSharedMemoryStatusRequest__Output } from './inference/SystemSharedMemoryStatusRequest.ts';
import type { SystemSharedMemoryStatusResponse as inference_SystemSharedMemoryStatusResponse, SystemSharedMemoryStatusResponse__Output as inference_SystemSharedMemoryStatusResponse__Output } from './inference/SystemSharedMemoryStatusResponse.ts';
import type { SystemSharedMemoryUnregisterRequest as inference_SystemSharedMemoryUnregisterRequest, SystemSharedMemoryUnregisterRequest__Output as inference_SystemSharedMemoryUnregisterRequest__Output } from './inference/SystemSharedMemoryUnregisterRequest.ts';
import type { SystemSharedMemoryUnregisterResponse as inference_SystemSharedMemoryUnregisterResponse, SystemSharedMemoryUnregisterResponse__Output as inference_SystemSharedMemoryUnregisterResponse__Output } from './inference/SystemSharedMemoryUnregisterResponse.ts';
import type { TraceSettingRequest as inference_TraceSettingRequest, TraceSettingRequest__Output as inference_TraceSettingRequest__Output } from './inference/TraceSettingRequest.ts';
import type { TraceSettingResponse as inference_TraceSettingResponse, TraceSettingResponse__Output as inference_TraceSettingResponse__Output } from './inference/TraceSettingResponse.ts';
import type { UnpinVersionRequest as sluice_registry_v1_UnpinVersionRequest, UnpinVersionRequest__Output as sluice_registry_v1_UnpinVersionRequest__Output } from './sluice/registry/v1/UnpinVersionRequest.ts';
import type { UnpinVersionResponse as sluice_registry_v1_UnpinVersionResponse, UnpinVersionResponse__Output as sluice_registry_v1_UnpinVersionResponse__Output } from './sluice/registry/v1/UnpinVersionResponse.ts';
import type { UpdateModelRequest as sluice_registry_v1_UpdateModelRequest, UpdateModelRequest__Output as sluice_registry_v1_UpdateModelRequest__Output } from './sluice/registry/v1/UpdateModelRequest.ts';
import type { UpdateModelResponse as sluice_registry_v1_UpdateModelResponse, UpdateModelResponse__Output as sluice_registry_v1_UpdateModelResponse__Output } from './sluice/registry/v1/UpdateModelResponse.ts';
import type { UploadArtifactRequest as sluice_registry_v1_UploadArtifactRequest, UploadArtifactRequest__Output as sluice_registry_v1_UploadArtifactRequest__Output } from './sluice/registry/v1/UploadArtifactRequest.ts';
import type { UploadArtifactResponse as sluice_registry_v1_UploadArtifactResponse, UploadArtifactResponse__Output as sluice_registry_v1_UploadArtifactResponse__Output } from './sluice/registry/v1/UploadArtifactResponse.ts';
import type { VerifyAuditRequest as sluice_registry_v1_VerifyAuditRequest, VerifyAuditRequest__Output as sluice_registry_v1_VerifyAuditRequest__Output } from './sluice/registry/v1/VerifyAuditRequest.ts';
import type { VerifyAuditResponse as sluice_registry_v1_VerifyAuditResponse, VerifyAuditResponse__Output as sluice_registry_v1_VerifyAuditResponse__Output } from './sluice/registry/v1/VerifyAuditResponse.ts';
import type { WatchAliasMoveRequest as sluice_registry_v1_WatchAliasMoveRequest, WatchAliasMoveRequest__Output as sluice_registry_v1_WatchAliasMoveRequest__Output } from './sluice/registry/v1/WatchAliasMoveRequest.ts';
import type { WatchAliasMoveResponse as sluice_registry_v1_WatchAliasMoveResponse, WatchAliasMoveResponse__Output as sluice_registry_v1_WatchAliasMoveResponse__Output } from './sluice/registry/v1/WatchAliasMoveResponse.ts';
import type { WatchAssignmentsRequest as sluice_registry_v1_WatchAssignmentsRequest, WatchAssignmentsRequest__Output as sluice_registry_v1_WatchAssignmentsRequest__Output } from './sluice/registry/v1/WatchAssignmentsRequest.ts';
import type { WatchAssignmentsResponse as sluice_registry_v1_WatchAssignmentsResponse, WatchAssignmentsResponse__Output as sluice_registry_v1_WatchAssignmentsResponse__Output } from './sluice/registry/v1/WatchAssignmentsResponse.ts';
import type { WatchRoutesRequest as sluice_registry_v1_WatchRoutesRequest, WatchRoutesRequest__Output as sluice_registry_v1_WatchRoutesRequest__Output } from './sluice/registry/v1/WatchRoutesRequest.ts';
import type { WatchRoutesResponse as sluice_registry_v1_WatchRoutesResponse, WatchRoutesResponse__Output as sluice_registry_v1_WatchRoutesResponse__Output } from './sluice/registry/v1/WatchRoutesResponse.ts';
import type { WatchStatusRequest as sluice_runtime_v1_WatchStatusRequest, WatchStatusRequest__Output as sluice_runtime_v1_WatchStatusRequest__Output } from './sluice/runtime/v1/WatchStatusRequest.ts';
import type { WatchStatusResponse as sluice_runtime_v1_WatchStatusResponse, WatchStatusResponse__Output as sluice_runtime_v1_WatchStatusResponse__Output } from './sluice/runtime/v1/WatchStatusResponse.ts';

export type MethodKind = 'unary' | 'serverStream' | 'clientStream' | 'bidi';
/** A method: `In` is what a sender may give, `Out` what a receiver gets, each as [request, response]. */
export interface Method<Kind extends MethodKind, Request extends [unknown, unknown], Response extends [unknown, unknown]> {
  readonly kind: Kind;
  readonly request: Request;
  readonly response: Response;
}

/** Methods of inference.GRPCInferenceService. */
export interface GRPCInferenceServiceMethods {
  readonly serverLive: Method<'unary', [inference_ServerLiveRequest, inference_ServerLiveRequest__Output], [inference_ServerLiveResponse, inference_ServerLiveResponse__Output]>;
  readonly serverReady: Method<'unary', [inference_ServerReadyRequest, inference_ServerReadyRequest__Output], [inference_ServerReadyResponse, inference_ServerReadyResponse__Output]>;
  readonly modelReady: Method<'unary', [inference_ModelReadyRequest, inference_ModelReadyRequest__Output], [inference_ModelReadyResponse, inference_ModelReadyResponse__Output]>;
  readonly serverMetadata: Method<'unary', [inference_ServerMetadataRequest, inference_ServerMetadataRequest__Output], [inference_ServerMetadataResponse, inference_ServerMetadataResponse__Output]>;
  readonly modelMetadata: Method<'unary', [inference_ModelMetadataRequest, inference_ModelMetadataRequest__Output], [inference_ModelMetadataResponse, inference_ModelMetadataResponse__Output]>;
  readonly modelInfer: Method<'unary', [inference_ModelInferRequest, inference_ModelInferRequest__Output], [inference_ModelInferResponse, inference_ModelInferResponse__Output]>;
  readonly modelStreamInfer: Method<'bidi', [inference_ModelInferRequest, inference_ModelInferRequest__Output], [inference_ModelStreamInferResponse, inference_ModelStreamInferResponse__Output]>;
  readonly modelConfig: Method<'unary', [inference_ModelConfigRequest, inference_ModelConfigRequest__Output], [inference_ModelConfigResponse, inference_ModelConfigResponse__Output]>;
  readonly modelStatistics: Method<'unary', [inference_ModelStatisticsRequest, inference_ModelStatisticsRequest__Output], [inference_ModelStatisticsResponse, inference_ModelStatisticsResponse__Output]>;
  readonly repositoryIndex: Method<'unary', [inference_RepositoryIndexRequest, inference_RepositoryIndexRequest__Output], [inference_RepositoryIndexResponse, inference_RepositoryIndexResponse__Output]>;
  readonly repositoryModelLoad: Method<'unary', [inference_RepositoryModelLoadRequest, inference_RepositoryModelLoadRequest__Output], [inference_RepositoryModelLoadResponse, inference_RepositoryModelLoadResponse__Output]>;
  readonly repositoryModelUnload: Method<'unary', [inference_RepositoryModelUnloadRequest, inference_RepositoryModelUnloadRequest__Output], [inference_RepositoryModelUnloadResponse, inference_RepositoryModelUnloadResponse__Output]>;
  readonly systemSharedMemoryStatus: Method<'unary', [inference_SystemSharedMemoryStatusRequest, inference_SystemSharedMemoryStatusRequest__Output], [inference_SystemSharedMemoryStatusResponse, inference_SystemSharedMemoryStatusResponse__Output]>;
  readonly systemSharedMemoryRegister: Method<'unary', [inference_SystemSharedMemoryRegisterRequest, inference_SystemSharedMemoryRegisterRequest__Output], [inference_SystemSharedMemoryRegisterResponse, inference_SystemSharedMemoryRegisterResponse__Output]>;
  readonly systemSharedMemoryUnregister: Method<'unary', [inference_SystemSharedMemoryUnregisterRequest, inference_SystemSharedMemoryUnregisterRequest__Output], [inference_SystemSharedMemoryUnregisterResponse, inference_SystemSharedMemoryUnregisterResponse__Output]>;
  readonly cudaSharedMemoryStatus: Method<'unary', [inference_CudaSharedMemoryStatusRequest, inference_CudaSharedMemoryStatusRequest__Output], [inference_CudaSharedMemoryStatusResponse, inference_CudaSharedMemoryStatusResponse__Output]>;
  readonly cudaSharedMemoryRegister: Method<'unary', [inference_CudaSharedMemoryRegisterRequest, inference_CudaSharedMemoryRegisterRequest__Output], [inference_CudaSharedMemoryRegisterResponse, inference_CudaSharedMemoryRegisterResponse__Output]>;
  readonly cudaSharedMemoryUnregister: Method<'unary', [inference_CudaSharedMemoryUnregisterRequest, inference_CudaSharedMemoryUnregisterRequest__Output], [inference_CudaSharedMemoryUnregisterResponse, inference_CudaSharedMemoryUnregisterResponse__Output]>;
  readonly traceSetting: Method<'unary', [inference_TraceSettingRequest, inference_TraceSettingRequest__Output], [inference_TraceSettingResponse, inference_TraceSettingResponse__Output]>;
  readonly logSettings: Method<'unary', [inference_LogSettingsRequest, inference_LogSettingsRequest__Output], [inference_LogSettingsResponse, inference_LogSettingsResponse__Output]>;
}

/** Methods of sluice.admin.v1.AdminService. */
export interface AdminServiceMethods {
  readonly getState: Method<'unary', [sluice_admin_v1_GetStateRequest, sluice_admin_v1_GetStateRequest__Output], [sluice_admin_v1_GetStateResponse, sluice_admin_v1_GetStateResponse__Output]>;
}

/** Methods of sluice.feedback.v1.ExportService. */
export interface ExportServiceMethods {
  readonly export: Method<'serverStream', [sluice_feedback_v1_ExportRequest, sluice_feedback_v1_ExportRequest__Output], [sluice_feedback_v1_ExportResponse, sluice_feedback_v1_ExportResponse__Output]>;
}

/** Methods of sluice.feedback.v1.PredictionService. */
export interface PredictionServiceMethods {
  readonly getPrediction: Method<'unary', [sluice_feedback_v1_GetPredictionRequest, sluice_feedback_v1_GetPredictionRequest__Output], [sluice_feedback_v1_GetPredictionResponse, sluice_feedback_v1_GetPredictionResponse__Output]>;
  readonly listPredictions: Method<'unary', [sluice_feedback_v1_ListPredictionsRequest, sluice_feedback_v1_ListPredictionsRequest__Output], [sluice_feedback_v1_ListPredictionsResponse, sluice_feedback_v1_ListPredictionsResponse__Output]>;
  readonly getStatistics: Method<'unary', [sluice_feedback_v1_GetStatisticsRequest, sluice_feedback_v1_GetStatisticsRequest__Output], [sluice_feedback_v1_GetStatisticsResponse, sluice_feedback_v1_GetStatisticsResponse__Output]>;
}

/** Methods of sluice.feedback.v1.FeedbackService. */
export interface FeedbackServiceMethods {
  readonly listDeadLetters: Method<'unary', [sluice_feedback_v1_ListDeadLettersRequest, sluice_feedback_v1_ListDeadLettersRequest__Output], [sluice_feedback_v1_ListDeadLettersResponse, sluice_feedback_v1_ListDeadLettersResponse__Output]>;
  readonly replayDeadLetters: Method<'unary', [sluice_feedback_v1_ReplayDeadLettersRequest, sluice_feedback_v1_ReplayDeadLettersRequest__Output], [sluice_feedback_v1_ReplayDeadLettersResponse, sluice_feedback_v1_ReplayDeadLettersResponse__Output]>;
  readonly deleteDeadLetters: Method<'unary', [sluice_feedback_v1_DeleteDeadLettersRequest, sluice_feedback_v1_DeleteDeadLettersRequest__Output], [sluice_feedback_v1_DeleteDeadLettersResponse, sluice_feedback_v1_DeleteDeadLettersResponse__Output]>;
}

/** Methods of sluice.feedback.v1.IngestService. */
export interface IngestServiceMethods {
  readonly ingest: Method<'bidi', [sluice_feedback_v1_IngestRequest, sluice_feedback_v1_IngestRequest__Output], [sluice_feedback_v1_IngestResponse, sluice_feedback_v1_IngestResponse__Output]>;
}

/** Methods of sluice.feedback.v1.LabelService. */
export interface LabelServiceMethods {
  readonly recordLabels: Method<'unary', [sluice_feedback_v1_RecordLabelsRequest, sluice_feedback_v1_RecordLabelsRequest__Output], [sluice_feedback_v1_RecordLabelsResponse, sluice_feedback_v1_RecordLabelsResponse__Output]>;
  readonly streamLabels: Method<'bidi', [sluice_feedback_v1_StreamLabelsRequest, sluice_feedback_v1_StreamLabelsRequest__Output], [sluice_feedback_v1_StreamLabelsResponse, sluice_feedback_v1_StreamLabelsResponse__Output]>;
  readonly recordFeedback: Method<'unary', [sluice_feedback_v1_RecordFeedbackRequest, sluice_feedback_v1_RecordFeedbackRequest__Output], [sluice_feedback_v1_RecordFeedbackResponse, sluice_feedback_v1_RecordFeedbackResponse__Output]>;
  readonly streamFeedback: Method<'bidi', [sluice_feedback_v1_StreamFeedbackRequest, sluice_feedback_v1_StreamFeedbackRequest__Output], [sluice_feedback_v1_StreamFeedbackResponse, sluice_feedback_v1_StreamFeedbackResponse__Output]>;
  readonly listUnmatchedLabels: Method<'unary', [sluice_feedback_v1_ListUnmatchedLabelsRequest, sluice_feedback_v1_ListUnmatchedLabelsRequest__Output], [sluice_feedback_v1_ListUnmatchedLabelsResponse, sluice_feedback_v1_ListUnmatchedLabelsResponse__Output]>;
}

/** Methods of sluice.feedback.v1.PrivacyService. */
export interface PrivacyServiceMethods {
  readonly eraseSubject: Method<'unary', [sluice_feedback_v1_EraseSubjectRequest, sluice_feedback_v1_EraseSubjectRequest__Output], [sluice_feedback_v1_EraseSubjectResponse, sluice_feedback_v1_EraseSubjectResponse__Output]>;
  readonly getErasure: Method<'unary', [sluice_feedback_v1_GetErasureRequest, sluice_feedback_v1_GetErasureRequest__Output], [sluice_feedback_v1_GetErasureResponse, sluice_feedback_v1_GetErasureResponse__Output]>;
  readonly listErasures: Method<'unary', [sluice_feedback_v1_ListErasuresRequest, sluice_feedback_v1_ListErasuresRequest__Output], [sluice_feedback_v1_ListErasuresResponse, sluice_feedback_v1_ListErasuresResponse__Output]>;
  readonly listSpools: Method<'unary', [sluice_feedback_v1_ListSpoolsRequest, sluice_feedback_v1_ListSpoolsRequest__Output], [sluice_feedback_v1_ListSpoolsResponse, sluice_feedback_v1_ListSpoolsResponse__Output]>;
  readonly forgetSpool: Method<'unary', [sluice_feedback_v1_ForgetSpoolRequest, sluice_feedback_v1_ForgetSpoolRequest__Output], [sluice_feedback_v1_ForgetSpoolResponse, sluice_feedback_v1_ForgetSpoolResponse__Output]>;
}

/** Methods of sluice.feedback.v1.SubscribeService. */
export interface SubscribeServiceMethods {
  readonly subscribe: Method<'serverStream', [sluice_feedback_v1_SubscribeRequest, sluice_feedback_v1_SubscribeRequest__Output], [sluice_feedback_v1_SubscribeResponse, sluice_feedback_v1_SubscribeResponse__Output]>;
}

/** Methods of sluice.registry.v1.AuditService. */
export interface AuditServiceMethods {
  readonly listAuditEntries: Method<'unary', [sluice_registry_v1_ListAuditEntriesRequest, sluice_registry_v1_ListAuditEntriesRequest__Output], [sluice_registry_v1_ListAuditEntriesResponse, sluice_registry_v1_ListAuditEntriesResponse__Output]>;
  readonly verifyAudit: Method<'serverStream', [sluice_registry_v1_VerifyAuditRequest, sluice_registry_v1_VerifyAuditRequest__Output], [sluice_registry_v1_VerifyAuditResponse, sluice_registry_v1_VerifyAuditResponse__Output]>;
  readonly getInclusionProof: Method<'unary', [sluice_registry_v1_GetInclusionProofRequest, sluice_registry_v1_GetInclusionProofRequest__Output], [sluice_registry_v1_GetInclusionProofResponse, sluice_registry_v1_GetInclusionProofResponse__Output]>;
  readonly getConsistencyProof: Method<'unary', [sluice_registry_v1_GetConsistencyProofRequest, sluice_registry_v1_GetConsistencyProofRequest__Output], [sluice_registry_v1_GetConsistencyProofResponse, sluice_registry_v1_GetConsistencyProofResponse__Output]>;
  readonly getLatestCheckpoint: Method<'unary', [sluice_registry_v1_GetLatestCheckpointRequest, sluice_registry_v1_GetLatestCheckpointRequest__Output], [sluice_registry_v1_GetLatestCheckpointResponse, sluice_registry_v1_GetLatestCheckpointResponse__Output]>;
  readonly getAuditKey: Method<'unary', [sluice_registry_v1_GetAuditKeyRequest, sluice_registry_v1_GetAuditKeyRequest__Output], [sluice_registry_v1_GetAuditKeyResponse, sluice_registry_v1_GetAuditKeyResponse__Output]>;
  readonly appendEntries: Method<'unary', [sluice_registry_v1_AppendEntriesRequest, sluice_registry_v1_AppendEntriesRequest__Output], [sluice_registry_v1_AppendEntriesResponse, sluice_registry_v1_AppendEntriesResponse__Output]>;
}

/** Methods of sluice.registry.v1.DataSetService. */
export interface DataSetServiceMethods {
  readonly createDataSetVersion: Method<'unary', [sluice_registry_v1_CreateDataSetVersionRequest, sluice_registry_v1_CreateDataSetVersionRequest__Output], [sluice_registry_v1_CreateDataSetVersionResponse, sluice_registry_v1_CreateDataSetVersionResponse__Output]>;
  readonly getDataSetVersion: Method<'unary', [sluice_registry_v1_GetDataSetVersionRequest, sluice_registry_v1_GetDataSetVersionRequest__Output], [sluice_registry_v1_GetDataSetVersionResponse, sluice_registry_v1_GetDataSetVersionResponse__Output]>;
  readonly listDataSets: Method<'unary', [sluice_registry_v1_ListDataSetsRequest, sluice_registry_v1_ListDataSetsRequest__Output], [sluice_registry_v1_ListDataSetsResponse, sluice_registry_v1_ListDataSetsResponse__Output]>;
  readonly listDataSetVersions: Method<'unary', [sluice_registry_v1_ListDataSetVersionsRequest, sluice_registry_v1_ListDataSetVersionsRequest__Output], [sluice_registry_v1_ListDataSetVersionsResponse, sluice_registry_v1_ListDataSetVersionsResponse__Output]>;
}

/** Methods of sluice.registry.v1.LineageService. */
export interface LineageServiceMethods {
  readonly getLineage: Method<'unary', [sluice_registry_v1_GetLineageRequest, sluice_registry_v1_GetLineageRequest__Output], [sluice_registry_v1_GetLineageResponse, sluice_registry_v1_GetLineageResponse__Output]>;
}

/** Methods of sluice.registry.v1.RunService. */
export interface RunServiceMethods {
  readonly startRun: Method<'unary', [sluice_registry_v1_StartRunRequest, sluice_registry_v1_StartRunRequest__Output], [sluice_registry_v1_StartRunResponse, sluice_registry_v1_StartRunResponse__Output]>;
  readonly endRun: Method<'unary', [sluice_registry_v1_EndRunRequest, sluice_registry_v1_EndRunRequest__Output], [sluice_registry_v1_EndRunResponse, sluice_registry_v1_EndRunResponse__Output]>;
  readonly getRun: Method<'unary', [sluice_registry_v1_GetRunRequest, sluice_registry_v1_GetRunRequest__Output], [sluice_registry_v1_GetRunResponse, sluice_registry_v1_GetRunResponse__Output]>;
  readonly listRuns: Method<'unary', [sluice_registry_v1_ListRunsRequest, sluice_registry_v1_ListRunsRequest__Output], [sluice_registry_v1_ListRunsResponse, sluice_registry_v1_ListRunsResponse__Output]>;
}

/** Methods of sluice.registry.v1.RegistryService. */
export interface RegistryServiceMethods {
  readonly createModel: Method<'unary', [sluice_registry_v1_CreateModelRequest, sluice_registry_v1_CreateModelRequest__Output], [sluice_registry_v1_CreateModelResponse, sluice_registry_v1_CreateModelResponse__Output]>;
  readonly updateModel: Method<'unary', [sluice_registry_v1_UpdateModelRequest, sluice_registry_v1_UpdateModelRequest__Output], [sluice_registry_v1_UpdateModelResponse, sluice_registry_v1_UpdateModelResponse__Output]>;
  readonly getModel: Method<'unary', [sluice_registry_v1_GetModelRequest, sluice_registry_v1_GetModelRequest__Output], [sluice_registry_v1_GetModelResponse, sluice_registry_v1_GetModelResponse__Output]>;
  readonly listModels: Method<'unary', [sluice_registry_v1_ListModelsRequest, sluice_registry_v1_ListModelsRequest__Output], [sluice_registry_v1_ListModelsResponse, sluice_registry_v1_ListModelsResponse__Output]>;
  readonly statArtifacts: Method<'unary', [sluice_registry_v1_StatArtifactsRequest, sluice_registry_v1_StatArtifactsRequest__Output], [sluice_registry_v1_StatArtifactsResponse, sluice_registry_v1_StatArtifactsResponse__Output]>;
  readonly uploadArtifact: Method<'clientStream', [sluice_registry_v1_UploadArtifactRequest, sluice_registry_v1_UploadArtifactRequest__Output], [sluice_registry_v1_UploadArtifactResponse, sluice_registry_v1_UploadArtifactResponse__Output]>;
  readonly downloadArtifact: Method<'serverStream', [sluice_registry_v1_DownloadArtifactRequest, sluice_registry_v1_DownloadArtifactRequest__Output], [sluice_registry_v1_DownloadArtifactResponse, sluice_registry_v1_DownloadArtifactResponse__Output]>;
  readonly createVersion: Method<'serverStream', [sluice_registry_v1_CreateVersionRequest, sluice_registry_v1_CreateVersionRequest__Output], [sluice_registry_v1_CreateVersionResponse, sluice_registry_v1_CreateVersionResponse__Output]>;
  readonly getVersion: Method<'unary', [sluice_registry_v1_GetVersionRequest, sluice_registry_v1_GetVersionRequest__Output], [sluice_registry_v1_GetVersionResponse, sluice_registry_v1_GetVersionResponse__Output]>;
  readonly listVersions: Method<'unary', [sluice_registry_v1_ListVersionsRequest, sluice_registry_v1_ListVersionsRequest__Output], [sluice_registry_v1_ListVersionsResponse, sluice_registry_v1_ListVersionsResponse__Output]>;
  readonly deleteVersion: Method<'unary', [sluice_registry_v1_DeleteVersionRequest, sluice_registry_v1_DeleteVersionRequest__Output], [sluice_registry_v1_DeleteVersionResponse, sluice_registry_v1_DeleteVersionResponse__Output]>;
  readonly moveAlias: Method<'unary', [sluice_registry_v1_MoveAliasRequest, sluice_registry_v1_MoveAliasRequest__Output], [sluice_registry_v1_MoveAliasResponse, sluice_registry_v1_MoveAliasResponse__Output]>;
  readonly cancelAliasMove: Method<'unary', [sluice_registry_v1_CancelAliasMoveRequest, sluice_registry_v1_CancelAliasMoveRequest__Output], [sluice_registry_v1_CancelAliasMoveResponse, sluice_registry_v1_CancelAliasMoveResponse__Output]>;
  readonly watchAliasMove: Method<'serverStream', [sluice_registry_v1_WatchAliasMoveRequest, sluice_registry_v1_WatchAliasMoveRequest__Output], [sluice_registry_v1_WatchAliasMoveResponse, sluice_registry_v1_WatchAliasMoveResponse__Output]>;
  readonly rollback: Method<'unary', [sluice_registry_v1_RollbackRequest, sluice_registry_v1_RollbackRequest__Output], [sluice_registry_v1_RollbackResponse, sluice_registry_v1_RollbackResponse__Output]>;
  readonly deleteAlias: Method<'unary', [sluice_registry_v1_DeleteAliasRequest, sluice_registry_v1_DeleteAliasRequest__Output], [sluice_registry_v1_DeleteAliasResponse, sluice_registry_v1_DeleteAliasResponse__Output]>;
  readonly getAliasHistory: Method<'unary', [sluice_registry_v1_GetAliasHistoryRequest, sluice_registry_v1_GetAliasHistoryRequest__Output], [sluice_registry_v1_GetAliasHistoryResponse, sluice_registry_v1_GetAliasHistoryResponse__Output]>;
  readonly getStateAsOf: Method<'unary', [sluice_registry_v1_GetStateAsOfRequest, sluice_registry_v1_GetStateAsOfRequest__Output], [sluice_registry_v1_GetStateAsOfResponse, sluice_registry_v1_GetStateAsOfResponse__Output]>;
  readonly approve: Method<'unary', [sluice_registry_v1_ApproveRequest, sluice_registry_v1_ApproveRequest__Output], [sluice_registry_v1_ApproveResponse, sluice_registry_v1_ApproveResponse__Output]>;
  readonly pinVersion: Method<'unary', [sluice_registry_v1_PinVersionRequest, sluice_registry_v1_PinVersionRequest__Output], [sluice_registry_v1_PinVersionResponse, sluice_registry_v1_PinVersionResponse__Output]>;
  readonly unpinVersion: Method<'unary', [sluice_registry_v1_UnpinVersionRequest, sluice_registry_v1_UnpinVersionRequest__Output], [sluice_registry_v1_UnpinVersionResponse, sluice_registry_v1_UnpinVersionResponse__Output]>;
  readonly liftQuarantine: Method<'unary', [sluice_registry_v1_LiftQuarantineRequest, sluice_registry_v1_LiftQuarantineRequest__Output], [sluice_registry_v1_LiftQuarantineResponse, sluice_registry_v1_LiftQuarantineResponse__Output]>;
  readonly putRelease: Method<'unary', [sluice_registry_v1_PutReleaseRequest, sluice_registry_v1_PutReleaseRequest__Output], [sluice_registry_v1_PutReleaseResponse, sluice_registry_v1_PutReleaseResponse__Output]>;
  readonly endRelease: Method<'unary', [sluice_registry_v1_EndReleaseRequest, sluice_registry_v1_EndReleaseRequest__Output], [sluice_registry_v1_EndReleaseResponse, sluice_registry_v1_EndReleaseResponse__Output]>;
  readonly listLeases: Method<'unary', [sluice_registry_v1_ListLeasesRequest, sluice_registry_v1_ListLeasesRequest__Output], [sluice_registry_v1_ListLeasesResponse, sluice_registry_v1_ListLeasesResponse__Output]>;
}

/** Methods of sluice.registry.v1.WatchService. */
export interface WatchServiceMethods {
  readonly watchRoutes: Method<'serverStream', [sluice_registry_v1_WatchRoutesRequest, sluice_registry_v1_WatchRoutesRequest__Output], [sluice_registry_v1_WatchRoutesResponse, sluice_registry_v1_WatchRoutesResponse__Output]>;
  readonly watchAssignments: Method<'serverStream', [sluice_registry_v1_WatchAssignmentsRequest, sluice_registry_v1_WatchAssignmentsRequest__Output], [sluice_registry_v1_WatchAssignmentsResponse, sluice_registry_v1_WatchAssignmentsResponse__Output]>;
  readonly getAssignment: Method<'unary', [sluice_registry_v1_GetAssignmentRequest, sluice_registry_v1_GetAssignmentRequest__Output], [sluice_registry_v1_GetAssignmentResponse, sluice_registry_v1_GetAssignmentResponse__Output]>;
  readonly renewRouterLease: Method<'unary', [sluice_registry_v1_RenewRouterLeaseRequest, sluice_registry_v1_RenewRouterLeaseRequest__Output], [sluice_registry_v1_RenewRouterLeaseResponse, sluice_registry_v1_RenewRouterLeaseResponse__Output]>;
  readonly renewRuntimeLease: Method<'unary', [sluice_registry_v1_RenewRuntimeLeaseRequest, sluice_registry_v1_RenewRuntimeLeaseRequest__Output], [sluice_registry_v1_RenewRuntimeLeaseResponse, sluice_registry_v1_RenewRuntimeLeaseResponse__Output]>;
  readonly releaseLease: Method<'unary', [sluice_registry_v1_ReleaseLeaseRequest, sluice_registry_v1_ReleaseLeaseRequest__Output], [sluice_registry_v1_ReleaseLeaseResponse, sluice_registry_v1_ReleaseLeaseResponse__Output]>;
  readonly reportStrike: Method<'unary', [sluice_registry_v1_ReportStrikeRequest, sluice_registry_v1_ReportStrikeRequest__Output], [sluice_registry_v1_ReportStrikeResponse, sluice_registry_v1_ReportStrikeResponse__Output]>;
}

/** Methods of sluice.runtime.v1.RuntimeService. */
export interface RuntimeServiceMethods {
  readonly watchStatus: Method<'serverStream', [sluice_runtime_v1_WatchStatusRequest, sluice_runtime_v1_WatchStatusRequest__Output], [sluice_runtime_v1_WatchStatusResponse, sluice_runtime_v1_WatchStatusResponse__Output]>;
  readonly link: Method<'bidi', [sluice_runtime_v1_LinkRequest, sluice_runtime_v1_LinkRequest__Output], [sluice_runtime_v1_LinkResponse, sluice_runtime_v1_LinkResponse__Output]>;
  readonly locateSequence: Method<'unary', [sluice_runtime_v1_LocateSequenceRequest, sluice_runtime_v1_LocateSequenceRequest__Output], [sluice_runtime_v1_LocateSequenceResponse, sluice_runtime_v1_LocateSequenceResponse__Output]>;
  readonly loadVersion: Method<'unary', [sluice_runtime_v1_LoadVersionRequest, sluice_runtime_v1_LoadVersionRequest__Output], [sluice_runtime_v1_LoadVersionResponse, sluice_runtime_v1_LoadVersionResponse__Output]>;
}
