export const root: string;
export const pinnedPackage: string | undefined;
export function pinnedNode(): string | undefined;
export function linkPinnedNode(): void;
export function pinnedEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
