/** The tag that loaded this file. A module has no current script, but a tag that can be found. */
export const script = SCRIPT;
if (!script) throw console.warn("abacus: no <script>");

/** The address of `path` beside this file; beside the page's /events, where this file is inlined into it. */
export const resolve = (path) => new URL(path, script.src || new URL(EVENTS, location));
