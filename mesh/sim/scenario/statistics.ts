/** Few numbers into fewer, and what a run without a fault proves. */

/** The smallest value that at least this share of them does not exceed; NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** A 99th percentile of simulated runs is given from so many on (docs/contracts.md, Tests). */
export const P99_SAMPLES_MIN = 300

/** The least rate at which so few would be seen in this time with a chance of at most 5 %: 3 / time when none was. */
export function rateBound95(seen: number, time: number): number {
  if (time <= 0) return Number.POSITIVE_INFINITY
  let low = 0
  let high = 3 * (seen + 3) + 10
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (atMost(seen, middle) > 0.05) low = middle
    else high = middle
  }
  return high / time
}

/** The chance of at most `seen` where `mean` are expected (Poisson). */
function atMost(seen: number, mean: number): number {
  let term = Math.exp(-mean)
  let sum = term
  for (let index = 1; index <= seen; index++) {
    term *= mean / index
    sum += term
  }
  return sum
}
