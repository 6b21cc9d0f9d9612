// What the modules share. It imports nothing, so that none of them imports another in a circle.

/** experiment → the variant on show. */
export const shown = {};
/** experiment → what its events say: { variant, experiment, phase }; falsy where it does not count. */
export const live = {};
/** experiment → the payload of the variant on show. */
export const payloads = {};
/** experiment → 1: no impression counts on this page, 2: no click either. */
export const off = {};
/** Experiments that have an element to be seen. */
export const placed = {};
/** The listeners for impressions. */
export const listeners = [];
/** What count.js shall do when it has come: [handler, ...arguments]. */
export const calls = [];
/** call: has count.js do something, now or when it comes; not calls.push, for the prototype of lists may be frozen.
    observer: the IntersectionObserver of count.js, once it is there. onChange: called when the page has changed.
    last: event → when it happened last; experiment → the path of its last impression. href, path: the page's. */
export const page = { call: (call) => calls.push(call) };
