// FNV-1a, 32 bit, over UTF-16 code units, which is what split("") yields. Math.imul keeps 32 bits, >>> 0 drops the sign.
/** Applied twice it is GrowthBook's hash version 2; once leaves neighbouring ids correlated. */
export const fnv = (text, state = 0x811c9dc5) => (
  text.split("").map((unit) => (state = Math.imul(state ^ unit.charCodeAt(), 0x01000193))), state >>> 0
);

/** The visitor's place, 0 ... 9999: GrowthBook's hash version 2, in ten-thousandths. assign.js spells it out, for in the
    core, where nobody else asks, a function costs ten bytes. */
export const bucket = (seed, visitor) => fnv(fnv(seed + visitor) + "") % 1e4;
