// A link that opens one experiment until it expires, without the read key. chalicelib/api/read_links.py has the form of
// the token; tests/fixtures/read_links.json holds both to it. In a file of its own: few readers need it.

import { link } from "../data/route.js";

const DAY = 86_400; // seconds

const bytes = (text) => new TextEncoder().encode(text);

/** @param {BufferSource} key
 *  @param {string} text */
async function hmac(key, text) {
  const kind = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, kind, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign(kind.name, imported, bytes(text)));
}

/** `expires`: epoch seconds. */
export async function signLink(readKey, stage, scope, expires) {
  const key = await hmac(bytes(readKey), `abacus link ${stage}`);
  const mac = await hmac(key, `${scope}.${expires}`);
  const hex = [...mac].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `ab1.${scope}.${expires}.${hex}`;
}

/** The address of `experiment`, or of its card, that opens without the read key for some days. */
export async function readLink(readKey, experiment, { days = 7, card = false } = {}) {
  const { stage } = await (await fetch("/health")).json();
  const expires = Math.floor(Date.now() / 1000) + days * DAY;
  const token = await signLink(readKey, stage, experiment, expires);
  return new URL((card ? "card.html" : "./") + link(experiment, { link: token }), location.href).href;
}
