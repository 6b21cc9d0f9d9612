// In the module these are known only when it starts; elsewhere esbuild puts the data in their place.
export let EXPERIMENTS, GOALS, VALUED, SEGMENTED, SCRIPT, TESTING;

export const configure = (site, script) => {
  EXPERIMENTS = site.experiments;
  GOALS = site.goals;
  VALUED = site.valued || [];
  SEGMENTED = site.segmented || {};
  SCRIPT = script;
  TESTING = RegExp("[?&](ab_|(" + EXPERIMENTS.map(([key]) => key).join("|") + ")=\\d)");
};
