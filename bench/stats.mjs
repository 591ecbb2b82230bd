/** Percentiles of one round, and the median round with the least and the most. */
export function percentile(values, p) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((p / 100) * sorted.length))];
}

/** `{ median, min, max }` of one number over all rounds. */
export function overRounds(values) {
  return { median: percentile(values, 50), min: Math.min(...values), max: Math.max(...values) };
}

export const round1 = (value) => Math.round(value * 10) / 10;

export function latencies(valuesMs) {
  return { p50Ms: round1(percentile(valuesMs, 50)), p99Ms: round1(percentile(valuesMs, 99)) };
}
