// Charts come in a script of their own, so that the verdict need not wait for them.

/** @type {Promise<any> | undefined} */
let loading;

/** The chart script: `plot` draws a chart, `picture` the result as an image.
 *  @returns {Promise<any>} */
export function charts() {
  loading ??= import("./uplot.js");
  return loading;
}
