/** What an attacker does. */
export interface AttackJob {
  readonly port: number;
  /** Of `attacks` of libs/wire. */
  readonly attack: string;
  readonly seconds: number;
}

/** What came of it. */
export interface AttackResult {
  /** When all connections of the attack had been made once, in milliseconds since the epoch; null when they never were. */
  readonly fromMs: number | null;
  /** When it ended. */
  readonly toMs: number;
  /** Connections that were made. */
  readonly connections: number;
  /** Of these, those that the server ended. */
  readonly ended: number;
}

/** Why a run under an attack says nothing. @param fromMs and @param toMs of what was measured */
export function attackProblems(result: AttackResult, fromMs: number, toMs: number): string[] {
  if (result.connections === 0) return ['nobody attacked'];
  const found: string[] = [];
  if (result.fromMs === null) found.push('the attack never had all its connections');
  else if (result.fromMs > fromMs) found.push(`the attack began ${Math.round(result.fromMs - fromMs)} ms too late`);
  if (result.toMs < toMs) found.push(`the attack was over ${Math.round(toMs - result.toMs)} ms too soon`);
  return found;
}
