// Paired measuring: candidate and raw call take turns in one run, and only their ratio and difference are kept. Absolute times on a shared
// machine move by half from one run to the next; ratios of neighbours do not.

const clock = () => performance.now()
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1]

/** Microseconds per call of `count` calls with `flight` of them under way at a time. */
async function time(call, count, flight) {
  const start = clock()
  if (flight === 1) for (let i = 0; i < count; i++) await call(i)
  else for (let i = 0; i < count; i += flight) await Promise.all(Array.from({ length: flight }, (_, k) => call(i + k)))
  return ((clock() - start) * 1000) / count
}

/** Median ratio of candidate to raw, and what the candidate adds in microseconds. */
export async function paired(raw, candidate, { flight = 1, rounds = 31, count = 1024 } = {}) {
  for (const call of [raw, candidate, raw, candidate]) await time(call, count, flight)
  const ratios = []
  const added = []
  for (let i = 0; i < rounds; i++) {
    const before = await time(raw, count, flight)
    const middle = await time(candidate, count, flight)
    const after = await time(raw, count, flight)
    ratios.push((2 * middle) / (before + after))
    added.push(middle - (before + after) / 2)
  }
  return { ratio: median(ratios), added: median(added) }
}

/** Microseconds per call of a synchronous function. */
export function sync(call, { rounds = 31, count = 20_000 } = {}) {
  const times = []
  for (let round = -5; round < rounds; round++) {
    const start = clock()
    for (let i = 0; i < count; i++) call(i)
    if (round >= 0) times.push(((clock() - start) * 1000) / count)
  }
  return median(times)
}
