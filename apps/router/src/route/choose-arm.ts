import type { Random } from '@sluice/domain/clock';
import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import type { CallMetadata, MetadataSource } from './call-metadata.ts';
import type { ArmChoice, ReleaseRoute } from './release-route.ts';
import { ownerOf } from './unit-hash.ts';

/**
 * The arm that answers, and why: the forced one, else that of the first rule that matches, else by weight: with a unit key
 * always the same one, without it at random. Shadow arms never answer.
 *
 * @param route of a release in which some arm answers
 * @throws SluiceError invalid-argument when the forced arm does not exist or is a shadow
 */
export function chooseArm(
  route: ReleaseRoute,
  said: Pick<CallMetadata, 'arm' | 'unit'>,
  source: MetadataSource,
  random: Random,
): ArmChoice {
  if (said.arm !== undefined) return forcedArm(route, said.arm);
  if (route.only !== undefined) return route.only;
  for (const { metadataKey, equals, choice } of route.rules) {
    if (source.metadata(metadataKey) === equals) return choice;
  }
  return byShare(route, said.unit, random);
}

function byShare(route: ReleaseRoute, unit: string | undefined, random: Random): ArmChoice {
  const { shares, totalWeight } = route;
  if (unit !== undefined) return (ownerOf(shares, route.seed, unit) ?? withoutWeights(route)).byUnit;
  let point = random.uniform() * totalWeight;
  for (const share of shares) {
    point -= share.weight;
    if (point < 0) return share.byWeight;
  }
  return withoutWeights(route).byWeight;
}

/** Where no arm has a weight, as no registry makes it: the primary, which has the rest. */
function withoutWeights({ shares, primary }: ReleaseRoute): ReleaseRoute['shares'][number] {
  return shares.find(({ forced }) => forced.arm === primary) ?? shares[0]!;
}

function forcedArm({ release, shares }: ReleaseRoute, name: string): ArmChoice {
  const share = shares.find(({ forced }) => forced.arm.name === name);
  if (share) return share.forced;
  const names = shares.map(({ forced }) => `'${forced.arm.name}'`).join(', ');
  throw invalidArgument(
    `metadata sluice-arm: the release of ${release.model} has no arm '${clip(name)}' that answers; expected ${names}`,
  );
}
