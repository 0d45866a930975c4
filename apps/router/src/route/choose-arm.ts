import type { Random } from '@sluice/domain/clock';
import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import type { ArmRoute, ReleaseRoute } from './table.ts';

/** What a caller's metadata says about routing. */
export interface RoutingHints {
  /** `sluice-arm`: the arm that must answer. */
  readonly arm: string | undefined;
  /** A metadata key's value, for the release's rules. */
  metadata(key: string): string | undefined;
}

/**
 * The arm that answers: the forced one, else that of the first rule that matches, else by weight. Shadow arms never
 * answer.
 *
 * @throws SluiceError invalid-argument when the forced arm does not exist or is a shadow
 */
export function chooseArm(route: ReleaseRoute, hints: RoutingHints, random: Random): ArmRoute {
  const { arms, release } = route;
  if (hints.arm !== undefined) return forcedArm(route, hints.arm);
  const first = arms[0]!;
  if (arms.length === 1) return first;
  for (const rule of release.rules) {
    if (hints.metadata(rule.metadataKey) !== rule.equals) continue;
    const arm = arms.find((each) => each.name === rule.arm);
    if (arm) return arm;
  }
  const answering = arms.filter((arm) => arm.role !== 'shadow');
  const total = answering.reduce((sum, arm) => sum + arm.weight, 0);
  let point = random.uniform() * total;
  for (const arm of answering) {
    point -= arm.weight;
    if (point < 0) return arm;
  }
  return answering.find((arm) => arm.role === 'primary') ?? first;
}

function forcedArm(route: ReleaseRoute, name: string): ArmRoute {
  const answering = route.arms.filter((arm) => arm.role !== 'shadow');
  const arm = answering.find((each) => each.name === name);
  if (arm) return arm;
  const names = answering.map((each) => `'${each.name}'`).join(', ');
  throw invalidArgument(
    `metadata sluice-arm: the release of ${route.release.model} has no arm '${clip(name)}' that answers; expected ${names}`,
  );
}
