// Asks the real npm @growthbook/growthbook: a JSON list of questions on stdin, a JSON list of answers on stdout.
const { GrowthBook, StickyBucketServiceSync, evalCondition, isURLTargeted } = require("@growthbook/growthbook");

class Memory extends StickyBucketServiceSync {
  docs = {};
  getAssignmentsSync(name, value) {
    return this.docs[`${name}||${value}`] || null;
  }
  saveAssignmentsSync(doc) {
    this.docs[`${doc.attributeName}||${doc.attributeValue}`] = doc;
  }
}

const answers = {
  // Does the condition hold for these attributes?
  condition: ([condition, attributes, groups]) => evalCondition(attributes, condition, groups || {}),
  // Do the url patterns target this url?
  url: ([url, targets]) => isURLTargeted(url, targets),
  // [variant's key or null, value], for each visitor, of each feature and each auto experiment.
  assign: ([payload, url, attributes, visitors]) =>
    visitors.map((id) => {
      const { features, savedGroups } = payload;
      const gb = new GrowthBook({ attributes: { ...attributes, id }, url, features, savedGroups });
      const found = {};
      for (const key of Object.keys(payload.features)) {
        const { value, source, experimentResult } = gb.evalFeature(key);
        found[key] = [source === "experiment" ? experimentResult.key : null, value];
      }
      for (const experiment of payload.experiments) {
        const result = gb.run(experiment);
        found[experiment.key] = [result.inExperiment && result.hashUsed ? result.key : null, result.value];
      }
      gb.destroy();
      return found;
    }),
  // [index, enrolled, counted] of one experiment in one context.
  run: ([experiment, context]) => {
    const gb = new GrowthBook(context);
    const { variationId, inExperiment, hashUsed } = gb.run(experiment);
    gb.destroy();
    return [variationId, inExperiment, hashUsed];
  },
  // The variant's key of one feature, for one visitor with a sticky store, under one payload after the other.
  sticky: ([payloads, key, id]) => {
    const stickyBucketService = new Memory();
    return payloads.map((payload) => {
      const gb = new GrowthBook({ attributes: { id }, stickyBucketService });
      gb.initSync({ payload });
      const { source, experimentResult } = gb.evalFeature(key);
      gb.destroy();
      return source === "experiment" ? experimentResult.key : null;
    });
  },
};

let text = "";
process.stdin.on("data", (chunk) => (text += chunk));
process.stdin.on("end", () => {
  console.error = () => {}; // it complains of every broken regular expression we ask it about
  const said = JSON.parse(text).map(([question, ...rest]) => answers[question](rest));
  process.stdout.write(JSON.stringify(said));
});
