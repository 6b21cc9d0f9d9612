// What one request gets, from the manifest that the build puts in the place of EXPERIMENTS. The same rules as
// static/snippet/assign.js, in the JavaScript that CloudFront Functions know: ES5.1, const, let, arrow functions.
import { satisfied } from "../snippet/targeting/conditions.js";

// As in the snippet: robots see the control, are not counted and get no cookie.
const CRAWLERS = /[^u]bot|crawl|spider|-google|preview|facebookext|whatsapp/i;
const LONGEST_COOKIE = 3500; // browsers take 4,096 bytes with name and attributes

/** FNV-1a, 32 bit, over UTF-16 code units; the prime is 2^24 + 403, and no product leaves the exact integers. */
const fnv = (text) => {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    state ^= text.charCodeAt(i);
    state = (state * 403 + ((state << 24) >>> 0)) >>> 0;
  }
  return state;
};

/** The visitor's place, 0 ... 9999: GrowthBook's hash version 2. */
const place = (seed, visitor) => fnv(fnv(seed + visitor) + "") % 1e4;

const header = (request, name) => (request.headers[name] ? request.headers[name].value : "");

const search = (querystring) => {
  const pairs = [];
  Object.keys(querystring).forEach((name) =>
    (querystring[name].multiValue || [querystring[name]]).forEach((one) =>
      pairs.push(one.value ? name + "=" + one.value : name),
    ),
  );
  return pairs.length ? "?" + pairs.join("&") : "";
};

const device = (request) => {
  const agent = header(request, "user-agent");
  if (/ipad|tablet|android(?!.*mobile)/i.test(agent)) return "tablet";
  return /mobi/i.test(agent) ? "mobile" : "desktop";
};

/** What is known of a request, before any experiment; null: it passes as it came. */
const visit = (event) => {
  const request = event.request;
  if (request.method != "GET" && request.method != "HEAD") return null;
  if (header(request, "accept").indexOf("text/html") < 0 || CRAWLERS.test(header(request, "user-agent"))) return null;
  if (GPC && header(request, "sec-gpc") == "1") return null;
  const cookie = request.cookies.abacus ? request.cookies.abacus.value : "";
  const owner = /^([A-Za-z0-9_.:-]{1,128})(~|$)/.exec(cookie);
  if (ASK && !owner) return null; // no consent yet
  // A new visitor's id comes from the request's own, which the function at the response knows too.
  const id = owner ? owner[1] : "e" + event.context.requestId.replace(/[^A-Za-z0-9]/g, "").slice(0, 40);
  const path = INDEX_PAGES ? request.uri.replace(/\/index\.html$/, "/") : request.uri;
  const inside = path + search(request.querystring);
  const host = header(request, "host");
  const url = "https://" + host + inside;
  const attributes = { id: id, url: url, path: path, host: host, query: search(request.querystring) };
  if (USES.country) attributes.country = header(request, "cloudfront-viewer-country") || null;
  if (USES.device) attributes.device = device(request);
  const record = owner && owner[2] ? cookie : id + "~";
  return { id: id, record: record, path: path, urls: [url, inside], matched: {}, attributes: attributes };
};

/** Whether the page is one of the experiment's. A pattern that several experiments share is compiled once. */
const onPage = (more, who) => {
  const matches = (pattern) => {
    const name = pattern[0] + pattern[1];
    if (who.matched[name] === undefined) {
      const source = new RegExp(pattern[0], pattern[1] || "");
      who.matched[name] = source.test(who.urls[0]) || source.test(who.urls[1]);
    }
    return who.matched[name];
  };
  const include = more.u ? more.u[0] : [];
  return !(more.u && more.u[1].some(matches)) && (!include.length || include.some(matches));
};

const eligible = (more, who) => {
  const within = (slot) => {
    const at = place(slot[0], who.id);
    return slot[1] <= at && at < slot[2];
  };
  if (more.n && !more.n.every(within)) return false;
  return !CONDITIONS || !more.c || satisfied(more.c, who.attributes);
};

/** [variant, phase] of an experiment that has begun and not ended; null: the visitor takes no part. */
const choose = (row, who) => {
  const more = row[5] || {};
  const now = Date.now();
  if (more.t && (now < more.t[0] || now >= more.t[1])) return null;
  const seed = row[4] === undefined ? row[0] : row[4];
  const stored = (who.record.split("~" + row[0] + ".")[1] || "").split(/[.~]/);
  // An earlier choice stays, unless a new seed was meant to assign again.
  if (stored[1] >= (row[3] || 0) && row[1].some((variant) => variant[0] == stored[0])) return [stored[0], +stored[1]];
  if (!eligible(more, who)) return null;
  const at = place(seed, who.id);
  const name = row[1].filter((variant) => at < variant[1])[0][0];
  return name ? [name, row[2] || 0] : null;
};

/** The page of `variant` where the experiment redirects: [host, path, query]. */
const target = (row, variant) => (row[5] && row[5].r && row[5].r[variant]) || null;

/** { record, shown, attributes, target }: the cookie's new value, what the page shows as `experiment=variant`, what
    conditions knew, and the page to serve instead. null: the request passes as it came. */
export const decide = (event) => {
  const who = visit(event);
  if (!who) return null;
  const decided = { record: who.record, shown: [], attributes: who.attributes, target: null };
  let redirected = false;
  EXPERIMENTS.forEach((row) => {
    const more = row[5] || {};
    if (!more.r && !onPage(more, who)) return; // cheaper than the hash
    const chosen = choose(row, who);
    if (!chosen) return;
    const to = target(row, chosen[0]);
    const here = to && to[0] == who.attributes.host;
    // The function at the response may be told the path that the one at the request has written.
    const arrived = here && to[1] == who.path;
    if (more.r && !arrived && !onPage(more, who)) return;
    const entry = row[0] + "." + chosen[0] + "." + chosen[1] + "~";
    const counts = row[4] !== "";
    if (counts && (decided.record + "~").indexOf("~" + entry) < 0 && decided.record.length < LONGEST_COOKIE)
      decided.record = decided.record.replace("~", "~" + entry);
    // To another host, or after another redirect, the snippet takes the visitor there.
    if (to && (!here || redirected)) return;
    if (to) redirected = true;
    if (to && !arrived) decided.target = to;
    decided.shown.push(row[0] + "=" + chosen[0]);
  });
  return decided;
};
