// The statistics of many rounds.

/** The median with the 10th and the 90th percentile, and `low` and `high`: the true median is between them, with a probability of 95%. */
export function quantiles(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const last = sorted.length - 1
  const at = (place) => sorted[Math.min(Math.max(Math.round(place), 0), last)]
  // Each round is above the true median or below it, like the toss of a coin.
  const reach = 0.98 * Math.sqrt(sorted.length)
  return { median: at(last / 2), p10: at(0.1 * last), p90: at(0.9 * last), low: at(last / 2 - reach), high: at(last / 2 + reach) }
}
