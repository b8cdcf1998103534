// Paired rounds. Absolute times on a shared machine move by half from one minute to the next; the ratio of two short runs, one right after the
// other, does not. So ours runs beside each peer again and again, in random order, and the ratios of these pairs are kept.
import { cpuClock, wallClock } from './clocks.mjs'
import { quantiles } from './quantiles.mjs'
import { roll } from './workers.mjs'

/** The length of a run, in milliseconds. */
const RUN = 8

/** The fewest calls of a run, for each worker. With fewer, most of a run would be its beginning and its end. */
const FEWEST = 4

/** Slow peers get fewer rounds: after this many milliseconds, no more than the fewest. */
const LONGEST = 20_000
const FEWEST_ROUNDS = 15

/**
 * Compares ours with its peers, in the time that passes (`wall`) and in the time of the processor (`cpu`). Answers, for each peer, the ratios of
 * ours to the peer, and the peer's microseconds per call; and the microseconds of ours.
 */
export async function compare(ours, peers, { workers, rounds = 41 }) {
  const counts = new Map()
  for (const each of [ours, ...peers]) counts.set(each, await countFor(each, workers))

  const pairs = []
  const start = wallClock()
  for (let round = 0; round < rounds; round++) {
    if (round >= FEWEST_ROUNDS && wallClock() - start > LONGEST) break
    for (const peer of shuffled(peers)) {
      const times = new Map()
      for (const each of shuffled([ours, peer])) times.set(each, await time(each.call, counts.get(each), workers))
      pairs.push({ peer, ours: times.get(ours), theirs: times.get(peer) })
    }
  }

  const summary = (clock) => ({
    took: quantiles(pairs.map((pair) => pair.ours[clock])).median,
    peers: peers.map((peer) => {
      const own = pairs.filter((pair) => pair.peer === peer)
      const ratio = quantiles(own.map(({ ours, theirs }) => ours[clock] / theirs[clock]))
      return { name: peer.name, ratio, took: quantiles(own.map(({ theirs }) => theirs[clock])).median }
    }),
  })
  return { wall: summary('wall'), ...(cpuClock && { cpu: summary('cpu') }) }
}

/** Microseconds per call. */
async function time(call, count, workers) {
  const cpu = cpuClock?.()
  const wall = wallClock()
  await roll(call, count, workers)
  const each = (milliseconds) => (milliseconds * 1000) / count
  return { wall: each(wallClock() - wall), cpu: cpuClock && each(cpuClock() - cpu) }
}

/** How many calls a run has. They are found while the engine compiles the code. */
async function countFor({ call }, workers) {
  const fewest = FEWEST * workers
  let count = fewest
  for (let warm = 0; warm < 12; warm++) {
    const { wall } = await time(call, count, workers)
    count = Math.max(fewest, Math.min(50_000, Math.round((RUN * 1000) / wall)))
  }
  return count
}

function shuffled(list) {
  const left = [...list]
  return list.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0])
}
