import type { GRPCInferenceServiceMethods } from '@sluice/contracts/services';
import { checkRepositoryName } from '@sluice/inference/repository';
import type { CallContext, Handlers } from '@sluice/rpc/handlers';
import type { ControlRequest } from '../repository/model-control.ts';
import type { RepositoryParameter } from '../repository/load-parameters.ts';
import type { RepositoryCall } from '../repository/repository.ts';
import { checkRepositoryControl } from './repository-control.ts';
import type { RepositoryControl } from './repository-control.ts';

/** In whose name the registry is changed for callers who name nobody: Triton's clients do not. */
export const controlActor = 'repository-control';

export interface RepositoryHandlerOptions {
  readonly control: {
    load(request: ControlRequest, call: RepositoryCall): Promise<void>;
    unload(request: ControlRequest, call: RepositoryCall): Promise<void>;
  };
  readonly repositoryControl: RepositoryControl;
}

interface Request {
  readonly repositoryName: string;
  readonly modelName: string;
  readonly parameters: Readonly<Record<string, RepositoryParameter>>;
}

type Methods = 'repositoryModelLoad' | 'repositoryModelUnload';

/** Triton's model control, for those who may. */
export function repositoryHandlers({
  control,
  repositoryControl,
}: RepositoryHandlerOptions): Pick<Handlers<GRPCInferenceServiceMethods>, Methods> {
  const handler =
    (method: 'load' | 'unload') =>
    async ({ repositoryName, modelName: model, parameters }: Request, ctx: CallContext) => {
      checkRepositoryControl(repositoryControl, ctx.peer);
      checkRepositoryName(repositoryName);
      const actor = ctx.metadata('sluice-actor') ? ctx.actor : controlActor;
      const { deadlineMs, signal } = ctx;
      await control[method]({ model, parameters }, { actor, deadlineMs, signal });
      return {};
    };
  return { repositoryModelLoad: handler('load'), repositoryModelUnload: handler('unload') };
}
