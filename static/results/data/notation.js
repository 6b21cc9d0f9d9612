// How commands and manifests are written.

/** Commands mean the ABacus on this machine unless told otherwise. */
export const stageOption = (host = location.hostname) =>
  /^(localhost|127\.|\[::1\])/.test(host) ? "" : " --stage prod";

/** A fraction as the manifest writes it: 0.125 → "12.5 %". A third stays a number, so that it reads back the same. */
export function share(fraction) {
  const percent = Number((fraction * 100).toPrecision(12));
  return percent / 100 === fraction ? `${percent} %` : String(fraction);
}
