// The targets, and which of them are met. They are for Node; the other engines are shown beside it.

const JOSE = 'jose, compact JWS'
const RECIPE = "Cloudflare's recipe"
const KEPT = "Cloudflare's recipe, key kept"
const RAW = 'raw `crypto.subtle` call'

const MODES = { share: 'JavaScript share', alone: 'one at a time', rolling: '64 rolling' }

/** A ratio of ours to a peer that is not to be exceeded. */
const ratio = (verb, comparison, mode, peer, most) => ({
  says: `${verb}, ${MODES[mode]}: at most ${most} of ${peer}`,
  of: ({ comparisons }) => ratioTo(comparisons[comparison], mode, peer),
  most,
})

const HMAC = [
  ['`sign`', 'sign', 0.6],
  ['`verify`', 'verify', 0.7],
].flatMap(([verb, comparison, share]) => [
  ratio(verb, comparison, 'share', JOSE, share),
  ratio(verb, comparison, 'alone', JOSE, 0.95),
  ratio(verb, comparison, 'rolling', JOSE, 0.85),
  ratio(verb, comparison, 'rolling', RECIPE, 0.95),
  ratio(verb, comparison, 'rolling', KEPT, 0.95),
])

const REMEMBERED = [
  ratio('a remembered link', 'remembered', 'alone', RAW, 0.1),
  ratio('a remembered link', 'remembered', 'rolling', RAW, 0.33),
  {
    says: 'heap after a million different links: at most 2 MB more',
    of: ({ heap }) => heap && { median: heap.after - heap.before },
    most: 2,
  },
]

const S3 = ['aws4fetch', 'AWS presigner'].flatMap((peer) =>
  ['alone', 'rolling'].map((mode) => ratio('`sign` with `s3`', 'presign', mode, peer, 0.95)),
)

const SERVICE = [
  {
    says: 'the service, single links: at least 0.65 of the requests of a constant body',
    of: ({ service }) => service?.single.find(({ name }) => name === 'service').share,
    least: 0.65,
  },
  {
    says: 'a batch of 1,000: at most 1.3 of 1,000 `sign` calls',
    of: ({ service }) => service?.batch.wall.peers[0].ratio,
    most: 1.3,
  },
]

export const TARGETS = [...HMAC, ...REMEMBERED, ...S3, ...SERVICE]

/** Does a target hold? It is undecided if it lies inside of the confidence interval of the median. */
export function verdictOn({ most = Number.POSITIVE_INFINITY, least = Number.NEGATIVE_INFINITY }, { median, low = median, high = median }) {
  if (high <= most && low >= least) return 'holds'
  return low > most || high < least ? '**does not hold**' : 'undecided'
}

/** The ratio of ours to a peer. The JavaScript share is told in time of the processor, where the engine has it. */
export function ratioTo(result, mode, peer) {
  return result && clocked(result[mode], mode).peers.find(({ name }) => name === peer)?.ratio
}

export const clocked = (measured, mode) => (mode === 'share' && measured.cpu) || measured.wall
