// GET /stats, and everything that can go wrong on the way, as one Failure that the page can show.

const KEY = "abacus-read-key";
const PATIENCE = 20_000; // milliseconds

export class Failure extends Error {
  /** kind: key, missing, wrong, busy, server, offline, slow or garbled. */
  constructor(kind, message, status) {
    super(message);
    this.kind = kind;
    this.status = status;
  }
}

// Session storage: gone with the tab, never sent by itself, never in an address.
export const readKey = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (key) => sessionStorage.setItem(KEY, key),
  forget: () => sessionStorage.removeItem(KEY),
};

/** The parsed answer. Never from the browser's own cache: what a key opened must not outlive it. */
export async function get(path) {
  const key = readKey.get();
  let response;
  try {
    response = await fetch(path, {
      headers: key ? { "X-Read-Key": key } : {},
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch (error) {
    if (error.name === "TimeoutError") throw new Failure("slow", `No answer within ${PATIENCE / 1000} seconds.`);
    throw new Failure("offline", navigator.onLine ? "The server cannot be reached." : "You are offline.");
  }
  const text = await response.text().catch(() => "");
  let said = null;
  try {
    said = JSON.parse(text);
  } catch {
    // handled below: an answer that is no JSON came from something in between
  }
  if (response.ok && said) return said;
  const message = said?.error?.message ?? `The server answered ${response.status}, and not in a form we know.`;
  throw new Failure(kindOf(response.status, said), message, response.status);
}

function kindOf(status, said) {
  if (status === 401 && said?.error) return "key";
  if (status === 404) return "missing";
  if (status === 400) return "wrong";
  if (status === 429 || status === 503) return "busy";
  return said ? "server" : "garbled";
}
