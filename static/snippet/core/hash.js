// FNV-1a, 32 bit, over UTF-16 code units. Math.imul keeps 32 bits, >>> 0 drops the sign.
/** Applied twice it is GrowthBook's hash version 2; once leaves neighbouring ids correlated. */
export const fnv = (text) => {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length;) state = Math.imul(state ^ text.charCodeAt(i++), 0x01000193);
  return state >>> 0;
};

/** The visitor's place, 0 ... 9999: GrowthBook's hash version 2, in ten-thousandths. assign.js spells it out: in the
    core, where this has one caller, a function costs ten bytes. */
export const bucket = (seed, visitor) => fnv(fnv(seed + visitor) + "") % 1e4;
