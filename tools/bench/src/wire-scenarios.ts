import { underAttack } from './attacks/under-attack.ts';
import { idleConnections } from './idle-connections.ts';
import type { LoadOptions } from './measure.ts';
import type { Scenario } from './scenario.ts';

/** What is asked of libs/wire beside speed, of servers that have nothing but it. */
export const wireScenarios = (options: LoadOptions): Scenario[] => [idleConnections(), ...underAttack(options)];
