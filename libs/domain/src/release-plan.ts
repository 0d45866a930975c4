import { invalidArgument, SluiceError } from './errors.ts';
import { checkAliasName, clip } from './names.ts';
import type { Arm, ArmRole, ReleaseMode, Rule } from './release.ts';
import { checkRules } from './release-rules.ts';

/** An arm as a person asks for it. */
export type PlannedArm = Pick<Arm, 'name' | 'version' | 'role' | 'weight'>;

/** A release as a person asks for it, before anybody looked at its versions. */
export interface ReleasePlan {
  readonly mode: ReleaseMode;
  readonly arms: readonly PlannedArm[];
  readonly rules: readonly Rule[];
  readonly seedId: string;
}

export const mostArms = 16;
/** Between them a share is never so small that it vanishes in a sum. */
const weights = { least: 1e-6, most: 1e6 };

/** True of arms whose answers callers get. */
export const answers = ({ role }: { readonly role: ArmRole }): boolean => role !== 'shadow';

/** Throws `invalid-argument`, or `unimplemented` for a mode that no controller drives yet, naming the field that is wrong. */
export function checkReleasePlan(plan: ReleasePlan): void {
  const { mode, arms, rules, seedId } = plan;
  if (mode === 'bandit') {
    throw new SluiceError('unimplemented', 'mode: bandit is not implemented; expected fixed, ab, canary or shadow');
  }
  checkArms(arms);
  checkMode(mode, arms);
  const total = arms.filter(answers).reduce((sum, { weight }) => sum + weight, 0);
  if (!(total > 0)) {
    throw invalidArgument('arms: the weights of the arms that answer add up to 0; give one of them a weight above 0');
  }
  checkRules(rules, arms);
  if (!/^[\x21-\x7e]{0,200}$/.test(seedId)) {
    throw invalidArgument(
      `seed_id: "${clip(seedId)}" given; expected at most 200 visible ASCII characters without blanks`,
    );
  }
}

function checkArms(arms: readonly PlannedArm[]): void {
  if (arms.length === 0 || arms.length > mostArms) {
    throw invalidArgument(`arms: ${arms.length} given; expected 1 to ${mostArms}`);
  }
  const names = new Set<string>();
  for (const [index, arm] of arms.entries()) {
    const field = `arms[${index}]`;
    checkAliasName(arm.name, `${field}.name`, 'the name of an arm');
    if (names.has(arm.name)) throw invalidArgument(`${field}.name: "${arm.name}" is given twice`);
    names.add(arm.name);
    checkWeight(arm, `${field}.weight`);
  }
  const primaries = arms.flatMap(({ role }, index) => (role === 'primary' ? [index] : []));
  if (primaries.length === 0) throw invalidArgument('arms: none is the primary; expected exactly one');
  if (primaries.length > 1) {
    throw invalidArgument(`arms[${primaries[1]}].role: arms[${primaries[0]}] is the primary already; expected one`);
  }
}

function checkWeight({ role, weight }: PlannedArm, field: string): void {
  if (role === 'shadow') {
    if (weight === 0) return;
    throw invalidArgument(`${field}: ${weight} given; a shadow gets a copy of every request and has no weight`);
  }
  if (weight === 0 || (weight >= weights.least && weight <= weights.most)) return;
  throw invalidArgument(`${field}: ${weight} given; expected 0, or 0.000001 to 1000000`);
}

function checkMode(mode: Exclude<ReleaseMode, 'bandit'>, arms: readonly PlannedArm[]): void {
  const shadows = arms.filter((arm) => !answers(arm)).length;
  const candidates = arms.length - shadows - 1;
  const given = `${arms.length} given, ${candidates} of them candidates and ${shadows} shadows`;
  const wrong = (expected: string) => invalidArgument(`arms: ${given}; a release of mode ${mode} has ${expected}`);
  switch (mode) {
    case 'fixed':
      if (arms.length !== 1) throw wrong('the primary alone');
      return;
    case 'ab':
      if (candidates < 1) throw wrong('two or more arms that answer');
      return;
    case 'canary':
      if (candidates !== 1) throw wrong('the primary and one candidate, and may have shadows');
      return;
    case 'shadow':
      if (candidates !== 0 || shadows < 1) throw wrong('the primary and one or more shadows');
      return;
  }
}

/** The arms with what follows from the plan: the probability of each, 1 for shadows, which get every request. */
export function armsOf(plan: Pick<ReleasePlan, 'arms'>, digestOf: (version: number) => string): readonly Arm[] {
  const total = plan.arms.filter(answers).reduce((sum, { weight }) => sum + weight, 0);
  return plan.arms.map((arm) => ({
    ...{ name: arm.name, version: arm.version, role: arm.role, weight: arm.weight },
    propensity: answers(arm) ? arm.weight / total : 1,
    versionDigest: digestOf(arm.version),
  }));
}
