// Stands for fast-check where properties are tested at length: every property is tried so many times as often as its test
// says. The real one is named by its file, because its name leads here.
import * as real from '../../node_modules/fast-check/lib/fast-check.js';

const FAST_CHECKS_OWN = 100;
const times = Number(process.env.KEEPWATCH_PROPERTY_TIMES);

export * from '../../node_modules/fast-check/lib/fast-check.js';

export const assert = (property, options = {}) =>
  real.assert(property, { ...options, numRuns: Math.ceil((options.numRuns ?? FAST_CHECKS_OWN) * times) });

export default { ...real.default, assert };
