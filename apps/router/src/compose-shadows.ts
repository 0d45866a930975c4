import type { Clock, Random } from '@sluice/domain/clock';
import { createBreaker } from '@sluice/resilience/breaker';
import type { RouterConfig } from './config.ts';
import { Shadows } from './route/shadows.ts';
import type { ShadowOptions } from './route/shadows.ts';
import { Breakers } from './runtimes/breakers.ts';
import type { Fleet } from './runtimes/fleet.ts';

/** What copies requests to shadow arms, with breakers that live requests know nothing of. */
export function composeShadows(
  config: Pick<RouterConfig, 'maxShadows' | 'maxShadowsInFlight' | 'maxShadowBytes' | 'shadowDeadlineMs'>,
  outside: { readonly clock: Clock; readonly random: Random },
  parts: Pick<ShadowOptions, 'observer' | 'onEnded'> & { readonly fleet: Fleet },
): Shadows {
  const { fleet, observer, onEnded } = parts;
  const { clock, random } = outside;
  const breakers = new Breakers({
    create: (runtime, key) => createBreaker({ name: `${runtime} ${key} shadow`, clock, isFailure: () => true }),
  });
  fleet.onChange(() => breakers.retain(fleet.links));
  return new Shadows({
    ...{ clock, random, observer, onEnded },
    bounds: {
      copies: config.maxShadows,
      inFlight: config.maxShadowsInFlight,
      bytes: config.maxShadowBytes,
      deadlineMs: config.shadowDeadlineMs,
    },
    readyFor: (key) => fleet.readyFor(key),
    breakerOf: (link, key) => breakers.of(link, key),
    defer: (fn) => void setImmediate(fn),
  });
}
