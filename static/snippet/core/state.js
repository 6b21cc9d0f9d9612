// What the modules share. It imports nothing of theirs, so that none of them imports another in a circle.

/** experiment → the variant on show; `experiment:variant` → 1 while it is on show, 0 when it no longer is. */
export const shown = {};
/** experiment → what its events say: { variant, experiment, phase }. Only of the experiments that count. */
export const live = {};
/** experiment → the payload of the variant on show. */
export const payloads = {};
/** experiment → 1: no impression counts on this page, 2: no click either. */
export const off = {};
/** Experiments that have an element to be seen. */
export const placed = {};
/** event → when it happened last; experiment → the path of its last impression. */
export let last = {};
/** Starts a new page view: everything on show counts again. */
export const newView = () => (last = {});
