// The same numbers, to keep: the report as it came, and its days as a table.

const QUOTED = /[",\n]/;

/** One row per day and variant; days are UTC. Numbers as programs write them: a point, no thousands. */
export function csv(report) {
  const head = [
    "experiment",
    "goal",
    "day",
    "variant",
    "visitors",
    "expected",
    "converted",
    "rate",
    "impressions",
    "clicks",
    "metric",
    "mean",
  ];
  const so = [
    "visitors_so_far",
    "converted_so_far",
    "rate_so_far",
    "mean_so_far",
    "lift_so_far",
    "lift_low",
    "lift_high",
  ];
  const rows = report.series.flatMap((point) =>
    point.variants.map((row) => {
      const beside = point.comparisons.find((c) => c.variant === row.variant);
      const all = row.cumulative;
      const [low, high] = beside?.lift_interval ?? [];
      return [
        report.experiment,
        report.goal,
        point.at,
        row.variant,
        row.visitors,
        row.expected,
        row.converted,
        row.rate,
        row.impressions,
        row.clicks,
        report.metric.name,
        row.mean,
        all.visitors,
        all.converted,
        all.rate,
        all.mean,
        beside?.lift,
        low,
        high,
      ];
    }),
  );
  return [[...head, ...so], ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

function field(value) {
  const text = value === null || value === undefined ? "" : String(value);
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
