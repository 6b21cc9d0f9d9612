// What came since the page was opened: each answer has the counts so far, and the differences of two answers are the
// events between them. The server keeps no list of events and answers no other question for it.

const MINUTE = 60_000;
const KEPT = 15; // minutes

/** experiment → its last counts, since when it is watched, and minute → outcome → events
 *  @type {Map<string, {last: Record<string, number>, since: number, at: number, minutes: Map<number, any>}>} */
const watched = new Map();

/** Takes an answer into account; the same one twice counts once. `at`: epoch milliseconds of its arrival.
 *  @param {any} report */
export function observe({ experiment, health, refused }, at) {
  const { accepted, repeated } = health.conservation;
  const counts = { accepted, repeated, ...refused };
  const known = watched.get(experiment);
  if (!known) {
    watched.set(experiment, { last: counts, since: at, at, minutes: new Map() });
    return;
  }
  if (at <= known.at) return;
  const minute = Math.floor(at / MINUTE);
  for (const [outcome, n] of Object.entries(counts)) {
    const more = n - (known.last[outcome] ?? 0);
    if (more <= 0) continue; // a rebuild counts from the start
    const events = known.minutes.get(minute) ?? {};
    events[outcome] = (events[outcome] ?? 0) + more;
    known.minutes.set(minute, events);
  }
  for (const old of known.minutes.keys()) if (old <= minute - KEPT) known.minutes.delete(old);
  Object.assign(known, { last: counts, at });
}

/** Since when, and the minutes in which events came, the newest first: [epoch milliseconds, outcome → events].
 *  @returns {{since: number, minutes: [number, Record<string, number>][]} | null} */
export function recent(experiment) {
  const known = watched.get(experiment);
  if (!known) return null;
  const minutes = [...known.minutes].sort(([a], [b]) => b - a);
  return { since: known.since, minutes: minutes.map(([minute, events]) => [minute * MINUTE, events]) };
}
