// FNV-1a, 32 bit, over UTF-16 code units; Math.imul keeps 32 bits, >>> 0 makes them unsigned.
const fnv = (text) => {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return state >>> 0;
};

/** The visitor's place, 0 … 9999: GrowthBook's hash version 2, in ten-thousandths. */
export const bucket = (seed, visitor) => fnv(fnv(seed + visitor) + "") % 1e4;
