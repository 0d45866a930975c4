/**
 * The order in which a key prefers members: every router that knows the same members finds the same order, and a member that
 * comes or goes changes nothing between the others (rendezvous hashing).
 *
 * @param nameOf what all routers call a member
 */
export function byRendezvous<Member>(
  key: string,
  members: readonly Member[],
  nameOf: (member: Member) => string,
): readonly Member[] {
  if (members.length < 2) return members;
  const ranked = members.map((member) => {
    const name = nameOf(member);
    return { member, name, score: hash(`${key}\n${name}`) };
  });
  ranked.sort((one, other) => other.score - one.score || (one.name < other.name ? -1 : 1));
  return ranked.map(({ member }) => member);
}

/** FNV-1a of the characters, then mixed so that names that differ in their last digit are far apart. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
