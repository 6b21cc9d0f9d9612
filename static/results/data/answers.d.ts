// Generated from the OpenAPI document by `python -m scripts.answer_types`. Do not edit.

export type JsonValue = unknown;

export interface Answers {
  ExperimentList: ExperimentList;
  Report: Report;
  SegmentReport: SegmentReport;
}
/**
 * GET /stats: every experiment that is not a draft. `latest_refusals`: of events that name none of them, or cannot
 * be read; only where days were asked for.
 */
export interface ExperimentList {
  experiments: Summary[];
  latest_refusals?: RefusalAnswer[];
}
/**
 * One experiment in the list. `visitors_today` and `series` only where days were asked for. `simulated`: some of
 * its visitors are the demo's.
 */
export interface Summary {
  experiment: string;
  description: string;
  status: "draft" | "running" | "paused" | "stopped";
  shipped: string | null;
  live: LiveAnswer | null;
  goal: string;
  metric: ChosenMetric;
  verdict: VerdictAnswer;
  health: "ok" | "warning" | "alarm";
  impressions: number;
  clicks: number;
  visitors: number;
  converted: number;
  variants: SummaryVariant[];
  comparisons: SummaryComparison[];
  simulated?: boolean;
  visitors_today?: number | null;
  series?: RecentDay[] | null;
}
/**
 * What visitors get from a stopped experiment. `since`: when it stopped, UTC; `by`, `why`: from the manifest's
 * `decision`, "" where there is none.
 */
export interface LiveAnswer {
  variant: string;
  since: string | null;
  by: string;
  why: string;
}
/**
 * What the variants are compared by. `unit`, `decimals`: of a value; null and 0 for a rate or a count.
 */
export interface ChosenMetric {
  name: string;
  kind: "rate" | "value" | "count";
  goal: string;
  unit: string | null;
  decimals: number;
}
/**
 * What to do, and why. `headline` and `reason` are for people, `doubts` names checks; `text` joins them.
 * `candidates`: winners that cannot be told apart; `guardrails`: metrics that hold the winner up.
 */
export interface VerdictAnswer {
  state: "invalid" | "collecting" | "winner" | "loser" | "equivalent" | "inconclusive";
  headline: string;
  reason: string;
  text: string;
  next: "ship" | "keep" | "stop" | "wait" | "fix";
  variant: string | null;
  candidates: string[];
  doubts: string[];
  guardrails: string[];
}
/**
 * One variant in the list of experiments.
 */
export interface SummaryVariant {
  variant: string;
  control: boolean;
  visitors: number;
  converted: number;
  rate: number | null;
  rate_interval: [number | null, number | null] | null;
  mean: number | null;
  mean_interval: [number | null, number | null] | null;
}
/**
 * One comparison in the list of experiments.
 */
export interface SummaryComparison {
  variant: string;
  control: string;
  decision: "winner" | "loser" | "equivalent" | "open" | "collecting";
  lift: number | null;
  lift_interval: [number | null, number | null] | null;
  p: number | null;
}
/**
 * Visitors first seen on one UTC day, and how many of them clicked.
 */
export interface RecentDay {
  at: string;
  visitors: number;
  converted: number;
}
/**
 * The latest refused event of one outcome, since yesterday; also of events that name no experiment. `at`: a UTC
 * moment; `reason`: for a person, without the visitor's id; `host`: of the page that sent it, "" if unknown. Senders
 * choose parts of both texts.
 */
export interface RefusalAnswer {
  outcome: string;
  at: string;
  reason: string;
  host: string;
}
/**
 * GET /stats/{experiment}: counts, rates, comparisons, checks, verdict and series of one experiment.
 *
 * `variants`, `comparisons` and `verdict` are by `metric`, which is a rate or a mean of `goal`. `metrics` has the rate
 * of every goal, `means` the values and counts, and `primary` names the one that decides. `comparisons`, `metrics`,
 * `means` and `series` compare with `baseline`; `verdict`, `guardrails`, `health` and `plan` with the control, always.
 * `segments`: what `by` can ask for. `simulated`: some of its visitors are the demo's.
 */
export interface Report {
  experiment: string;
  description: string;
  hypothesis: string;
  status: "draft" | "running" | "paused" | "stopped";
  assignment: "hash" | "client";
  shipped: string | null;
  live: LiveAnswer | null;
  goal: string;
  metric: ChosenMetric;
  goals: string[];
  baseline: string;
  as_of: string;
  window: WindowAnswer;
  phase: number;
  phases: PhaseAnswer[];
  alpha: number;
  taus: number[];
  stratified: boolean;
  age: AgeAnswer;
  variants: VariantAnswer[];
  comparisons: ComparisonAnswer[];
  primary: string;
  metrics: MetricAnswer[];
  means: MeanAnswer[];
  guardrails: GuardrailAnswer[];
  omnibus: OmnibusAnswer | null;
  segments: string[];
  health: HealthAnswer;
  excluded: {
    [k: string]: number;
  };
  flagged: {
    [k: string]: number;
  };
  refused: {
    [k: string]: number;
  };
  latest_refusals?: RefusalAnswer[];
  plan: PlanAnswer;
  verdict: VerdictAnswer;
  series: DayAnswer[] | HourAnswer[];
  simulated?: boolean;
  cost?: CostAnswer | null;
  outcomes?: OutcomesAnswer[] | null;
  history?: HistoryEntry[] | null;
}
/**
 * Which cohorts were asked for; null is unbounded.
 */
export interface WindowAnswer {
  from: string | null;
  to: string | null;
  by?: "UTC day of the visitor's first impression";
}
/**
 * A stretch with unchanged weights: its split, its days, its own numbers.
 */
export interface PhaseAnswer {
  phase: number;
  weights: {
    [k: string]: number;
  };
  coverage: number;
  seen: boolean;
  first: string | null;
  last: string | null;
  variants: PhaseVariantAnswer[];
}
/**
 * One variant within one phase.
 */
export interface PhaseVariantAnswer {
  variant: string;
  visitors: number;
  converted: number;
  rate: number | null;
}
/**
 * first: the day of the first visitor. days: complete UTC days since. week: all weekdays are among them.
 */
export interface AgeAnswer {
  first: string | null;
  days: number;
  week: boolean;
}
/**
 * Counts and rates of one variant. Counts are sums over phases; rates over several phases are comparable
 * averages. `ctr_interval` counts at most 100 impressions of each visitor. `mean`: units per visitor, where the report
 * is by a mean; `expected_loss` is in the same unit, or a rate.
 */
export interface VariantAnswer {
  variant: string;
  control: boolean;
  weight: number;
  impressions: number;
  clicks: number;
  ctr: number | null;
  ctr_interval: [number | null, number | null] | null;
  visitors: number;
  converted: number;
  rate: number | null;
  rate_interval: [number | null, number | null] | null;
  goal_events: number;
  mean: number | null;
  mean_interval: [number | null, number | null] | null;
  p_best: number | null;
  expected_loss: number | null;
  excluded: {
    [k: string]: number;
  };
}
/**
 * A variant against the control. `lift_interval` and `p` hold at every look and for all comparisons at once.
 */
export interface ComparisonAnswer {
  variant: string;
  control: string;
  decision: "winner" | "loser" | "equivalent" | "open" | "collecting";
  phases: number;
  lift: number | null;
  lift_interval: [number | null, number | null] | null;
  lift_shrunk: ShrunkAnswer | null;
  p: number | null;
  p_unadjusted: number | null;
  evidence: EvidenceAnswer | null;
  exact_p: number | null;
  fixed: FixedAnswer | null;
  bayes: BayesAnswer;
  ctr: CtrAnswer | null;
}
/**
 * The lift to expect after a rollout: pulled towards 0 as far as its standard error deserves.
 */
export interface ShrunkAnswer {
  weight: number | null;
  mean: number | null;
  sd: number | null;
  lift: number | null;
  interval: [number | null, number | null] | null;
  p_positive: number | null;
}
/**
 * The score statistic z, its information in log odds, ln E and the anytime-valid p.
 */
export interface EvidenceAnswer {
  z: number | null;
  info: number | null;
  ln_e: number | null;
  p: number | null;
}
/**
 * The fixed-horizon reading: valid for one look at a moment chosen beforehand.
 */
export interface FixedAnswer {
  z: number | null;
  p: number | null;
  ln_p: number | null;
  p_holm: number | null;
  p_bh: number | null;
  lift_interval: [number | null, number | null] | null;
  difference: number | null;
  difference_interval: [number | null, number | null] | null;
}
/**
 * The chance to be better than the control, and the credible interval of the lift: the posterior of
 * `lift_shrunk`.
 */
export interface BayesAnswer {
  p_better: number | null;
  lift: number | null;
  lift_interval: [number | null, number | null] | null;
}
/**
 * Click-through rates compared, standard errors by visitor. All for one look, but `p_anytime`, for every look.
 */
export interface CtrAnswer {
  lift: number | null;
  difference: number | null;
  difference_interval: [number | null, number | null] | null;
  z: number | null;
  p: number | null;
  p_anytime: number | null;
}
/**
 * One metric: the rate of a goal. `confirmatory`: whether its comparisons may support a decision; a secondary
 * metric's may once the primary one is decided, and are exploratory before.
 */
export interface MetricAnswer {
  metric: string;
  kind: "rate";
  goal: string;
  primary: boolean;
  confirmatory: boolean;
  variants: MetricVariantAnswer[];
  comparisons: MetricComparisonAnswer[];
}
/**
 * One variant by one metric.
 */
export interface MetricVariantAnswer {
  variant: string;
  control: boolean;
  visitors: number;
  converted: number;
  goal_events: number;
  rate: number | null;
  rate_interval: [number | null, number | null] | null;
}
/**
 * A variant against the control by one metric. `p` and `lift_interval` hold at every look. Of the primary metric
 * they hold for all variants at once, of the others for all secondary metrics and variants at once. `discovery`:
 * whether it stays one at a false discovery rate of 5 % over all metrics (e-BH). `decision`: collecting below 100
 * visitors with a value in a variant, where a mean is not compared yet.
 */
export interface MetricComparisonAnswer {
  variant: string;
  control: string;
  decision: "winner" | "loser" | "equivalent" | "open" | "collecting";
  lift: number | null;
  lift_interval: [number | null, number | null] | null;
  p: number | null;
  p_unadjusted: number | null;
  discovery: boolean;
}
/**
 * Values or events of a goal per visitor. `primary`, `confirmatory`: as of a rate.
 */
export interface MeanAnswer {
  metric: string;
  kind: "rate" | "value" | "count";
  goal: string;
  unit: string | null;
  decimals: number;
  primary: boolean;
  confirmatory: boolean;
  variants: MeanVariantAnswer[];
  comparisons: MetricComparisonAnswer[];
}
/**
 * One variant by a mean. `mean` and `interval`: units (of a count: events) per visitor, `interval` for one look.
 * `total`: what is counted, `cut`: what the cap took away, of `capped` visitors; in units.
 */
export interface MeanVariantAnswer {
  variant: string;
  control: boolean;
  visitors: number;
  with_value: number;
  mean: number | null;
  interval: [number | null, number | null] | null;
  total: number | null;
  cut: number | null;
  capped: number;
}
/**
 * A metric that must not get worse by more than `margin`. `bounds`: one-sided confidence sequences of the lift.
 * `visitors_per_variant`, `days_left`: what it takes until an open one is ok, if nothing differs.
 */
export interface GuardrailAnswer {
  metric: string;
  variant: string;
  margin: number;
  lower_is_better: boolean;
  state: "ok" | "broken" | "open";
  lift: number | null;
  bounds: [number | null, number | null] | null;
  p_ok: number | null;
  p_broken: number | null;
  visitors_per_variant: number | null;
  days_left: number | null;
}
/**
 * Is there any difference between the variants at all? A G-test at one look.
 */
export interface OmnibusAnswer {
  g: number | null;
  df: number;
  p: number | null;
  ln_p: number | null;
  pearson: number | null;
  pearson_p: number | null;
}
/**
 * Whether the numbers can be trusted: the worst state of all checks, and each check.
 */
export interface HealthAnswer {
  state: "ok" | "warning" | "alarm";
  checks: CheckAnswer[];
  srm: {
    [k: string]: JsonValue;
  };
  conservation: ConservationAnswer | null;
  multiple_variants: number;
}
/**
 * One data check: a sentence for people, and the figures it rests on.
 */
export interface CheckAnswer {
  name: string;
  state: "ok" | "warning" | "alarm";
  text: string;
  figures: {
    [k: string]: JsonValue;
  };
}
/**
 * Where the received events went: received = accepted + repeated; accepted = counted + excluded.
 */
export interface ConservationAnswer {
  received: number;
  accepted: number;
  repeated: number;
  counted: number;
  excluded: number;
  holds: boolean;
  refused: {
    [k: string]: number;
  };
  refused_is?: "approximate";
  rebuilding: boolean;
}
/**
 * How long it takes to detect `lift`, either way, with probability `power`, at the traffic of the last days; and to
 * show that no difference is larger than `margin`. Over a `rate`, or over a `mean` whose standard deviation over
 * visitors is `spread`, in units.
 */
export interface PlanAnswer {
  rate: number | null;
  mean: number | null;
  spread: number | null;
  lift: number | null;
  power: number | null;
  visitors_per_variant: number | null;
  visitors_per_variant_fixed: number | null;
  visitors_per_day: number | null;
  missing: number | null;
  days_left: number | null;
  days: number | null;
  mde_reached: number | null;
  margin: number | null;
  equivalence_visitors_per_variant: number | null;
  equivalence_days_left: number | null;
}
/**
 * One UTC day: its new visitors, and everything up to it.
 */
export interface DayAnswer {
  at: string;
  variants: DayVariantAnswer[];
  comparisons: DayComparisonAnswer[];
}
/**
 * The cohort of one UTC day in one variant. `expected`: visitors that the configured split would give it.
 */
export interface DayVariantAnswer {
  variant: string;
  impressions: number;
  clicks: number;
  visitors: number;
  expected: number | null;
  converted: number;
  rate: number | null;
  rate_sequence: [number | null, number | null] | null;
  mean: number | null;
  mean_sequence: [number | null, number | null] | null;
  cumulative: CumulativeAnswer;
}
/**
 * All visitors up to a day. `rate_sequence`, `mean_sequence` are confidence sequences: they hold at every look.
 * `mean`: units per visitor, where the report is by a mean.
 */
export interface CumulativeAnswer {
  visitors: number;
  converted: number;
  rate: number | null;
  rate_interval: [number | null, number | null] | null;
  rate_sequence: [number | null, number | null] | null;
  mean: number | null;
  mean_sequence: [number | null, number | null] | null;
}
/**
 * The comparison as it stood at the end of a day.
 */
export interface DayComparisonAnswer {
  variant: string;
  lift: number | null;
  lift_interval: [number | null, number | null] | null;
  p: number | null;
}
/**
 * One UTC hour of activity.
 */
export interface HourAnswer {
  at: string;
  variants: HourVariantAnswer[];
}
/**
 * Raw activity of one hour in one variant: all visitors, but no event that arrived more than an hour late.
 */
export interface HourVariantAnswer {
  variant: string;
  impressions: number;
  clicks: number;
  ctr: number | null;
}
/**
 * What all events of the experiment have cost so far, from the least to the most: one request for each visitor on
 * a busy site, one for each event on a quiet one. AWS list prices, without any free tier, storage or delivery.
 */
export interface CostAnswer {
  currency: "USD";
  prices_of: string;
  region: string;
  events: number;
  /**
   * @minItems 2
   * @maxItems 2
   */
  requests: [number, number];
  /**
   * @minItems 2
   * @maxItems 2
   */
  per_million: [number, number];
  /**
   * @minItems 2
   * @maxItems 2
   */
  dollars: [number, number];
}
/**
 * What became of the events of one day. accepted, repeated, excluded: of the visitors first seen on that day.
 * refused: events that came on that day; approximate.
 */
export interface OutcomesAnswer {
  at: string;
  visitors: number;
  accepted: number;
  repeated: number;
  excluded: {
    [k: string]: number;
  };
  refused: {
    [k: string]: number;
  };
}
/**
 * One change of the experiment, a note or its decision: a UTC moment, or a day where only the day is known. `by`:
 * its author, if one is named.
 */
export interface HistoryEntry {
  at: string;
  what: "running" | "first" | "phase" | "paused" | "stopped" | "end" | "note" | "decision";
  text: string;
  by?: string | null;
}
/**
 * One experiment by one segment, exploratory. `visitors`: in all values; `without_segment`: counted by an earlier
 * version, in none. `segments`: what else there is to ask for.
 */
export interface SegmentReport {
  experiment: string;
  by: string;
  segments: string[];
  as_of: string;
  alpha: number;
  primary: string;
  warning: string;
  visitors: number;
  without_segment: number;
  metrics: SegmentMetricAnswer[];
  split: SegmentSplitAnswer;
  traffic: ValueTrafficAnswer[];
  adjusted: AdjustedAnswer[];
}
/**
 * One metric by value.
 */
export interface SegmentMetricAnswer {
  metric: string;
  kind: "rate" | "value" | "count";
  goal: string;
  primary: boolean;
  unit: string | null;
  decimals: number;
  values: SegmentValueAnswer[];
  interactions: InteractionAnswer[];
}
/**
 * One metric among the visitors of one value.
 */
export interface SegmentValueAnswer {
  value: string;
  variants: SegmentArmAnswer[];
  comparisons: SegmentComparisonAnswer[];
}
/**
 * One variant among the visitors of one value. `estimate`: a rate, or units or events per visitor; `interval`: for
 * one look.
 */
export interface SegmentArmAnswer {
  variant: string;
  visitors: number;
  converted: number;
  estimate: number | null;
  interval: [number | null, number | null] | null;
}
/**
 * A variant against the control among the visitors of one value. `p` and `lift_interval` hold at every look, for
 * all values and variants of the metric at once. collecting: too few visitors for a test.
 */
export interface SegmentComparisonAnswer {
  variant: string;
  control: string;
  direction: "higher" | "lower" | "open" | "collecting";
  lift: number | null;
  lift_interval: [number | null, number | null] | null;
  p: number | null;
}
/**
 * Whether a variant's effect differs between the values: Cochran's Q, at one look. `differs`: p below 0.001.
 * `values`: those that have enough visitors for it.
 */
export interface InteractionAnswer {
  variant: string;
  values: string[];
  q: number | null;
  df: number;
  p: number | null;
  i2: number | null;
  differs: boolean;
}
/**
 * Whether visitors came in the configured proportions in every value; `off` names where they did not.
 */
export interface SegmentSplitAnswer {
  state: "ok" | "warning" | "alarm";
  text: string;
  off: string[];
  values: ValueSplitAnswer[];
}
/**
 * The visitors of one value against the configured split. `p`: for one look; `p_anytime`: for every look.
 */
export interface ValueSplitAnswer {
  value: string;
  visitors: {
    [k: string]: number;
  };
  expected: {
    [k: string]: number;
  };
  p: number | null;
  p_anytime: number | null;
  off: boolean;
}
/**
 * Who came with one value: visitors who count, those left out by reason, what is remarkable about those who count,
 * and refused events by outcome (approximate).
 */
export interface ValueTrafficAnswer {
  value: string;
  visitors: number;
  excluded: {
    [k: string]: number;
  };
  flagged: {
    [k: string]: number;
  };
  refused: {
    [k: string]: number;
  };
}
/**
 * A variant against the control by the primary metric, post-stratified by the segment. `difference`, `se`: in units
 * of the metric; `gain`: how much less variance than without strata, 0.1 is 10 %.
 */
export interface AdjustedAnswer {
  variant: string;
  control: string;
  strata: number;
  difference: number | null;
  se: number | null;
  lift: number | null;
  lift_interval: [number | null, number | null] | null;
  p: number | null;
  gain: number | null;
}
