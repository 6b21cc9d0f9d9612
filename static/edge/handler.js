// One CloudFront Function for both events: viewer-request assigns, viewer-response sets the cookie.
import { decide } from "./decide.js";

const atRequest = (request, decided) => {
  if (decided.shown.length) request.headers["x-abacus"] = { value: decided.shown.join(",") };
  request.cookies.abacus = { value: decided.record };
  if (decided.target) {
    request.uri = decided.target[1];
    const query = decided.target[2];
    Object.keys(query).forEach((name) => (request.querystring[name] = { value: query[name] }));
  }
};

const atResponse = (response, decided) => {
  const headers = response.headers;
  if (!headers["content-type"] || headers["content-type"].value.indexOf("text/html") < 0) return;
  // The snippet reads this: which page it is on, and what conditions knew.
  const known = decided.shown.slice();
  if (USES.country && decided.attributes.country) known.push("country=" + decided.attributes.country);
  if (USES.device) known.push("device=" + decided.attributes.device);
  const timing = known.map((pair) => 'abacus;desc="' + pair + '"');
  if (headers["server-timing"]) timing.unshift(headers["server-timing"].value);
  if (timing.length) headers["server-timing"] = { value: timing.join(", ") };
  // No cache between the CDN and the browser may give this page to another visitor.
  const control = headers["cache-control"] ? headers["cache-control"].value : "";
  if (!/no-store|private/.test(control)) {
    const rest = control.replace(/(^|,)\s*(public|s-maxage=\d+)\s*(?=,|$)/g, "").replace(/^[,\s]+/, "");
    headers["cache-control"] = { value: rest ? "private, " + rest : "private" };
  }
  if (!response.cookies.abacus)
    response.cookies.abacus = {
      value: decided.record,
      attributes: "Max-Age=31536000; Path=/; Secure; SameSite=Lax" + COOKIE_DOMAIN,
    };
};

/** Called by CloudFront. Whatever goes wrong, the request or the response passes as it came. */
export const handler = (event) => {
  const request = event.request;
  const responds = event.context.eventType == "viewer-response";
  if (!responds) delete request.headers["x-abacus"]; // only this function says what a page shows
  try {
    const decided = decide(event);
    if (decided) responds ? atResponse(event.response, decided) : atRequest(request, decided);
  } catch (error) {
    // A page without an experiment is better than none.
  }
  if (INDEX_PAGES && !responds && /\/$/.test(request.uri)) request.uri += "index.html";
  return responds ? event.response : request;
};
