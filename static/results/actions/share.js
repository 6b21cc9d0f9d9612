// The result as text for a chat.

import { count, interval, lift, localised } from "../ui/format.js";
import { headline, liveSince, reason } from "../ui/labels.js";
import { estimate, written } from "../ui/metric.js";

/** What to do, why, the numbers, and a link that opens here.
 *  @param {import("../data/answers.d.ts").Report} report
 *  @param {string} href */
export function text(report, href) {
  const control = report.variants.find((row) => row.control);
  const rows = report.variants.map((row) => {
    const c = report.comparisons.find(({ variant }) => variant === row.variant);
    const over = c?.control === control?.variant ? "" : ` over ${c?.control}`;
    const against = c?.lift_interval ? `, lift${over} ${lift(c.lift)} (${interval(c.lift_interval)})` : "";
    const value = written(report.metric, estimate(report.metric, row));
    const name = row.control ? `${row.variant} (control)` : row.variant;
    return `• ${name}: ${value} of ${count(row.visitors, "visitor")}${against}`;
  });
  const since = liveSince(report);
  const head = [`${title(report)}: ${headline(report)}`, ...(since ? [since] : []), localised(reason(report))];
  return [...head, "", ...rows, "", href].join("\n");
}

export const title = ({ experiment, metric }) =>
  metric.name === "click" ? experiment : `${experiment} (${metric.name})`;
