// In a page with GrowthBook's auto.min.js: each visitor in turn, by the attribute `id`, as after a login.
// For each: experiment → [key of the variant or null (not enrolled), value].
async ([ids, attributes]) => {
  const gb = window._growthbook;
  const found = [];
  for (const id of ids) {
    await gb.updateAttributes({ ...attributes, id });
    const row = {};
    for (const key of Object.keys(gb.getFeatures())) {
      const { value, source, experimentResult } = gb.evalFeature(key);
      row[key] = [source === "experiment" ? experimentResult.key : null, value];
    }
    for (const experiment of gb.getExperiments()) {
      const result = gb.run(experiment);
      row[experiment.key] = [result.inExperiment && result.hashUsed ? result.key : null, result.value];
    }
    found.push(row);
  }
  return found;
};
