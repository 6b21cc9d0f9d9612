// Scripts that come after the page's own. A browser does not ask again for a script that it could not load.

/** A function that starts loading a script when it is called first, and tells what has come of it. `changed()`: called
 *  when it is there, and when it could not be loaded.
 *  @param {() => Promise<any>} load
 *  @param {() => void} changed */
export function later(load, changed) {
  const state = { module: /** @type {any} */ (null), lost: false };
  let asked = false;

  async function ask() {
    asked = true;
    try {
      state.module = await load();
    } catch {
      state.lost = true;
    }
    changed();
  }

  return () => {
    if (!asked) ask();
    return state;
  };
}
