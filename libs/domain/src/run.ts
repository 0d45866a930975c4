/** States of a pipeline's run, in the order of its life. */
export const runStates = ['running', 'succeeded', 'failed'] as const;
export type RunState = (typeof runStates)[number];

/** How a run may end. */
export type RunEnd = Exclude<RunState, 'running'>;
