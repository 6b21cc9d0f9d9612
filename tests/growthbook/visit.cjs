// One page view each, with the real SDK as a site would use it: fetch the payload, show a feature, log a click.
// Arguments: the host, the client key, then visitors.
const { GrowthBook } = require("@growthbook/growthbook");
const { growthbookTrackingPlugin } = require("@growthbook/growthbook/plugins");

const [host, clientKey, ...visitors] = process.argv.slice(2);

(async () => {
  for (const id of visitors) {
    const gb = new GrowthBook({
      apiHost: host,
      clientKey,
      attributes: {
        id,
        url: "https://example.com/",
        email: "someone@example.com",
        plan: id === "ada" ? "pro" : "x".repeat(200),
        seats: 3,
        utmSource: "letter",
      },
      plugins: [growthbookTrackingPlugin({ ingestorHost: host, queueFlushInterval: 1 })],
    });
    await gb.init({ skipCache: true });
    for (let page = 0; page < 3; page++) gb.getFeatureValue("cta-color", "none");
    await gb.logEvent("click", { experimentId: "cta-color" });
    await gb.logEvent("Purchase", { value: 49.9, currency: "EUR" });
    if (id === "bob") for (const value of ["-9.90", 0.001, "free", undefined]) await gb.logEvent("Purchase", { value });
    gb.destroy();
  }
})();
