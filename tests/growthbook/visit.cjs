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
      attributes: { id, url: "https://example.com/", email: "someone@example.com" },
      plugins: [growthbookTrackingPlugin({ ingestorHost: host, queueFlushInterval: 1 })],
    });
    await gb.init({ skipCache: true });
    for (let page = 0; page < 3; page++) gb.getFeatureValue("cta-color", "none");
    await gb.logEvent("click", { experimentId: "cta-color" });
    gb.destroy();
  }
})();
