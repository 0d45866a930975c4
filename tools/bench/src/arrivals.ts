/** When the requests of an open loop are due: not when the server has answered, but when a user would have come. */
export interface Arrivals {
  /** Milliseconds from the start to the next request; ascending. */
  next(): number;
}

/** A request every so often. @param perSecond more than 0 */
export function steady(perSecond: number): Arrivals {
  let count = 0;
  return { next: () => (count++ * 1000) / perSecond };
}

/**
 * Arrivals that know nothing of each other: the gaps are exponential, -ln(1 - u) / rate.
 *
 * @param uniform draws from [0, 1)
 */
export function poisson(perSecond: number, uniform: () => number): Arrivals {
  let at = 0;
  return {
    next: () => {
      at += (-Math.log(1 - uniform()) * 1000) / perSecond;
      return at;
    },
  };
}
