// GET /stats, and everything that can go wrong on the way, as one Failure that the page can show.

import { respond, TIMEOUT } from "./request.js";

export class Failure extends Error {
  /** @param {"key"|"missing"|"wrong"|"busy"|"server"|"offline"|"unreachable"|"slow"|"garbled"} kind
   *  @param {string} message for the reader
   *  @param {number} [status] of the answer, where there was one */
  constructor(kind, message, status) {
    super(message);
    this.kind = kind;
    this.status = status;
  }
}

/** The parsed answer. Throws Failure.
 *  @param {string} path
 *  @returns {Promise<any>} */
export async function get(path) {
  let response;
  try {
    response = await respond(path);
  } catch (error) {
    if (/** @type {any} */ (error)?.name === "TimeoutError")
      throw new Failure("slow", `No answer within ${TIMEOUT / 1000} seconds.`);
    if (!navigator.onLine) throw new Failure("offline", "This device has no connection.");
    throw new Failure("unreachable", "Your device is online, but the server did not answer.");
  }
  const text = await response.text().catch(() => "");
  /** @type {any} */
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    // handled below: an answer that is not JSON came from something in between
  }
  if (response.ok && body) return body;
  const message = body?.error?.message ?? `The server answered ${response.status}, and not in a form we know.`;
  throw new Failure(kindOf(response.status, body), message, response.status);
}

function kindOf(status, body) {
  if (status === 401 && body?.error) return "key";
  if (status === 404) return "missing";
  if (status === 400) return "wrong";
  if (status === 429 || status === 503) return "busy";
  return body ? "server" : "garbled";
}
