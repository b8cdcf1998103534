// What is told of many rounds.

/** The median, and the 10th and the 90th percentile. */
export function quantiles(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))]
  return { median: at(0.5), p10: at(0.1), p90: at(0.9) }
}
