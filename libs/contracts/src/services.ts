import type { ServiceDefinition } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import type {
  AdminServiceMethods,
  AuditServiceMethods,
  DataSetServiceMethods,
  ExportServiceMethods,
  FeedbackServiceMethods,
  GRPCInferenceServiceMethods,
  IngestServiceMethods,
  LabelServiceMethods,
  LineageServiceMethods,
  Method,
  MethodKind,
  PredictionServiceMethods,
  PrivacyServiceMethods,
  RegistryServiceMethods,
  RunServiceMethods,
  RuntimeServiceMethods,
  SubscribeServiceMethods,
  WatchServiceMethods,
} from './gen/methods.ts';
import { schemaJson } from './gen/schema.ts';
import { loaderOptions } from './options.ts';

export type { Method, MethodKind } from './gen/methods.ts';
export type {
  AdminServiceMethods,
  AuditServiceMethods,
  DataSetServiceMethods,
  ExportServiceMethods,
  FeedbackServiceMethods,
  GRPCInferenceServiceMethods,
  IngestServiceMethods,
  LabelServiceMethods,
  LineageServiceMethods,
  PredictionServiceMethods,
  PrivacyServiceMethods,
  RegistryServiceMethods,
  RunServiceMethods,
  RuntimeServiceMethods,
  SubscribeServiceMethods,
  WatchServiceMethods,
} from './gen/methods.ts';

export type AnyMethod = Method<MethodKind, [unknown, unknown], [unknown, unknown]>;

/** A service: what runs (`definition`) and what the compiler knows of it (`Methods`, camel-case names). */
export interface Service<Methods> {
  /** With its package, such as `sluice.registry.v1.RegistryService`. */
  readonly name: string;
  readonly definition: ServiceDefinition;
  /** Never set: it carries the type. */
  readonly methods?: Methods;
}

/** What a sender may give and a receiver gets, by method. */
export type RequestInput<M> = M extends Method<MethodKind, [infer T, unknown], [unknown, unknown]> ? T : never;
export type RequestOutput<M> = M extends Method<MethodKind, [unknown, infer T], [unknown, unknown]> ? T : never;
export type ResponseInput<M> = M extends Method<MethodKind, [unknown, unknown], [infer T, unknown]> ? T : never;
export type ResponseOutput<M> = M extends Method<MethodKind, [unknown, unknown], [unknown, infer T]> ? T : never;

// One parse for all services: nothing looks for .proto files at run time.
const definitions = fromJSON(JSON.parse(schemaJson) as Parameters<typeof fromJSON>[0], loaderOptions);

function service<Methods>(name: string): Service<Methods> {
  const definition = definitions[name];
  if (definition === undefined)
    throw new Error(`${name} is not in the baked schema: run \`npx nx generate contracts\``);
  return Object.freeze({ name, definition: definition as ServiceDefinition });
}

export const inferenceService = service<GRPCInferenceServiceMethods>('inference.GRPCInferenceService');
export const registryService = service<RegistryServiceMethods>('sluice.registry.v1.RegistryService');
export const watchService = service<WatchServiceMethods>('sluice.registry.v1.WatchService');
export const auditService = service<AuditServiceMethods>('sluice.registry.v1.AuditService');
export const dataSetService = service<DataSetServiceMethods>('sluice.registry.v1.DataSetService');
export const runService = service<RunServiceMethods>('sluice.registry.v1.RunService');
export const lineageService = service<LineageServiceMethods>('sluice.registry.v1.LineageService');
export const feedbackService = service<FeedbackServiceMethods>('sluice.feedback.v1.FeedbackService');
export const subscribeService = service<SubscribeServiceMethods>('sluice.feedback.v1.SubscribeService');
export const ingestService = service<IngestServiceMethods>('sluice.feedback.v1.IngestService');
export const predictionService = service<PredictionServiceMethods>('sluice.feedback.v1.PredictionService');
export const labelService = service<LabelServiceMethods>('sluice.feedback.v1.LabelService');
export const privacyService = service<PrivacyServiceMethods>('sluice.feedback.v1.PrivacyService');
export const exportService = service<ExportServiceMethods>('sluice.feedback.v1.ExportService');
export const runtimeService = service<RuntimeServiceMethods>('sluice.runtime.v1.RuntimeService');
export const adminService = service<AdminServiceMethods>('sluice.admin.v1.AdminService');
