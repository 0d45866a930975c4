import { InvalidArgumentError } from 'commander';
import { decimal } from './options.ts';

/** An arm as it is written: `next=2:10:candidate`. */
export interface ArmFlag {
  readonly name: string;
  /** A number or an alias. */
  readonly version: string;
  readonly weight: number;
  readonly role: Role | undefined;
}

/** A rule as it is written: `x-region=eu:next`. */
export interface RuleFlag {
  readonly metadataKey: string;
  readonly equals: string;
  readonly arm: string;
}

export const roles = ['primary', 'candidate', 'shadow'] as const;
export type Role = (typeof roles)[number];

export const modes = ['fixed', 'ab', 'canary', 'shadow'] as const;
export type Mode = (typeof modes)[number];

const isRole = (text: string): text is Role => roles.some((role) => role === text);

/** Adds an arm, NAME=VERSION:WEIGHT[:ROLE], to those before it. */
export function arm(text: string, before: readonly ArmFlag[] = []): readonly ArmFlag[] {
  const [, name, version, weight, role] = /^([^=]+)=([^:=]+):([^:]+)(?::([^:]+))?$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('Expected NAME=VERSION:WEIGHT or NAME=VERSION:WEIGHT:ROLE.');
  if (role !== undefined && !isRole(role))
    throw new InvalidArgumentError(`ROLE is ${roles.join(', ')}, not "${role}".`);
  return [...before, { name, version: version!, weight: weightOf(weight!), role }];
}

function weightOf(text: string): number {
  const value = decimal(text);
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError(`WEIGHT is a number from 0 on, not "${text}".`);
}

/** Adds a rule, KEY=VALUE:ARM, to those before it; VALUE may have colons. */
export function rule(text: string, before: readonly RuleFlag[] = []): readonly RuleFlag[] {
  const [, metadataKey, equals, name] = /^([^=]+)=(.+):([^:]+)$/.exec(text) ?? [];
  if (metadataKey === undefined) throw new InvalidArgumentError('Expected KEY=VALUE:ARM.');
  return [...before, { metadataKey, equals: equals!, arm: name! }];
}

/** Arms with a role each: where none is said to be the primary the first is, all others are candidates. */
export function withRoles(arms: readonly ArmFlag[]): readonly (ArmFlag & { readonly role: Role })[] {
  const first = arms.some(({ role }) => role === 'primary') ? undefined : arms.find(({ role }) => role === undefined);
  return arms.map((each) => ({ ...each, role: each.role ?? (each === first ? 'primary' : 'candidate') }));
}

/** Whether arms may be a release of the mode. */
export function fits(mode: Mode, arms: readonly { readonly role: Role }[]): boolean {
  const count = (role: Role): number => arms.filter((each) => each.role === role).length;
  const [candidates, shadows] = [count('candidate'), count('shadow')];
  switch (mode) {
    case 'fixed':
      return arms.length === 1;
    case 'ab':
      return candidates >= 1;
    case 'canary':
      return candidates === 1;
    case 'shadow':
      return candidates === 0 && shadows >= 1;
  }
}

/** What arms make where nobody named a mode; one against another is a canary only by its name. */
export function modeOf(arms: readonly { readonly role: Role }[]): Mode {
  if (arms.length === 1) return 'fixed';
  return arms.every(({ role }) => role !== 'candidate') ? 'shadow' : 'ab';
}
