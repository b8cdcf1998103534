// The results as a page: docs/benchmarks.md, which is also printed.
import { clocked, TARGETS, verdictOn } from './targets.mjs'

const number = (value) => (Math.abs(value) < 0.1 ? value.toFixed(3) : value < 10 ? value.toFixed(2) : value.toFixed(1))
const bytes = (count) => count.toLocaleString('en-US')

/** The median, with the 10th and the 90th percentile. */
function spread(quantiles) {
  if (!quantiles) return 'not run'
  const { median, p10, p90 } = quantiles
  return p10 === undefined ? number(median) : `${number(median)} (${number(p10)} to ${number(p90)})`
}

const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

function targets(engines) {
  const rows = TARGETS.map((target) => [
    target.says,
    ...engines.map((engine) => {
      const measured = target.of(engine)
      return measured ? `${verdictOn(target, measured)}: ${spread(measured)}` : 'not run'
    }),
  ])
  return table(['target', ...engines.map(({ name }) => name)], rows)
}

/** A table of ratios, with a line for each peer. */
function ratios(engines, comparison, mode, clock) {
  const measuredIn = ({ comparisons }) => (clock ? comparisons[comparison][mode][clock] : clocked(comparisons[comparison][mode], mode))
  const measured = engines.filter(measuredIn)
  const names = [...new Set(measured.flatMap((engine) => measuredIn(engine).peers.map(({ name }) => name)))]
  const rows = names.map((name) => [
    name,
    ...measured.map((engine) => spread(measuredIn(engine).peers.find((peer) => peer.name === name)?.ratio)),
  ])
  const own = ['ours, µs per call', ...measured.map((engine) => number(measuredIn(engine).took))]
  return table(['ours divided by', ...measured.map(({ name }) => name)], [...rows, own])
}

/** The tables of one comparison, if it was made. */
function comparison(all, title, name) {
  const engines = all.filter(({ comparisons }) => comparisons[name])
  if (engines.length === 0) return ''
  const share = engines.some(({ comparisons }) => comparisons[name].share.wall.peers.length > 0)
  return `### ${title}

One at a time:

${ratios(engines, name, 'alone')}

64 rolling workers:

${ratios(engines, name, 'rolling')}

64 rolling workers, time of the processor in all threads:

${ratios(engines, name, 'rolling', 'cpu')}
${
  share
    ? `
JavaScript share:

${ratios(engines, name, 'share')}
`
    : ''
}`
}

function heap(engines) {
  const rows = engines
    .filter((engine) => engine.heap)
    .map(({ name, heap }) => [name, bytes(heap.links), bytes(heap.max), heap.before.toFixed(1), heap.after.toFixed(1)])
  return table(['engine', 'different links', 'remembered', 'MB before', 'MB after'], rows)
}

const SERVERS = { constant: 'constant body', read: 'constant body, request read', service: 'the service' }

function service(engines) {
  const rows = engines
    .filter((engine) => engine.service)
    .flatMap(({ name: engine, service: { single } }) =>
      single.map(({ name, rate, share, cpu, cpuShare }) => [
        engine,
        SERVERS[name],
        bytes(Math.round(rate)),
        spread(share),
        cpu.toFixed(0),
        spread(cpuShare),
      ]),
    )
  return table(['engine', 'server', 'requests per second', 'of constant', 'µs of the processor', 'constant divided by it'], rows)
}

function batch(engines) {
  const rows = engines
    .filter((engine) => engine.service)
    .map(({ name, service: { batch } }) => [
      name,
      spread(batch.wall.peers[0].ratio),
      spread(batch.cpu.peers[0].ratio),
      (batch.wall.took / 1000).toFixed(1),
    ])
  return table(['engine', 'batch divided by calls', 'in time of the processor', 'ms per batch'], rows)
}

function sizes({ ours, peers, schemes }) {
  const held = ({ bytes, most }) => (most === undefined ? '' : bytes <= most ? 'holds' : '**does not hold**')
  const rows = ours.map((row) => [row.name, bytes(row.bytes), row.most === undefined ? '' : bytes(row.most), held(row)])
  return `${table(['SecureLink', 'bytes', 'ceiling', ''], rows)}

${table(
  ['peer', 'bytes'],
  peers.map((row) => [row.name, bytes(row.bytes)]),
)}

Each scheme adds to an app that has \`{ sign, verify, hmac }\`:

${table(
  ['scheme', 'bytes'],
  schemes.map((row) => [`[\`${row.name}\`](schemes/${row.name}.md)`, bytes(row.bytes)]),
)}`
}

export function page({ engines, sizes: measuredSizes, versions, machine, rounds }) {
  return `# Benchmarks

\`npm run bench -- --write\` measures, and writes this page. It was written on ${machine.date}, on a machine with ${machine.cores} cores
(${machine.cpu}) that other programs used at the same time: its load was ${machine.load.before} before and ${machine.load.after} after.

${table(
  ['program', 'version'],
  [...engines, ...versions].map(({ name, version }) => [name, version]),
)}

Each ratio is ours divided by the peer's, in time per call, so a ratio below 1 means that SecureLink is faster. It is the median of ${rounds} rounds
(at least 15 beside slow peers), with the 10th and the 90th percentile in brackets. Differences under 5% are noise. Microseconds show the order of
magnitude only. Tables of their own show the processor time, which
other programs affect less than the elapsed time.

## Targets

The targets are for Node. The other engines stand beside it. "Holds" means that the median meets the target. "Undecided" means that the rounds
differ too much: the target is inside the 95% confidence interval of the median. The heap and the service are measured on Node only.

${targets(engines)}

## Links with \`hmac\`

The peers sign the URL or its path, and an expiry, with HMAC-SHA-256, but for npm \`signed\`, which hashes with SHA-1 in \`node:crypto\`. That is synchronous and
blocks the thread, and it needs Node's own modules. Cloudflare's recipe imports its key for each request, as documented; "key kept" is the same
recipe with one import. jose's compact JWS and the recipe do less than \`verify\`: jose leaves the payload unread, and both check no method, address
or path.

${comparison(engines, '`sign`', 'sign')}
${comparison(engines, '`verify`', 'verify')}
${comparison(engines, '`verify` of a remembered link', 'remembered')}
The heap of Node, with a million different links signed, verified and remembered:

${heap(engines)}

## Presigned URLs with \`s3\`

The raw sequence is one digest and one HMAC, which each link needs when the key of the day is known. The AWS presigner does not use WebCrypto, so it has
no JavaScript share.

${comparison(engines, '`sign`', 'presign')}
${comparison(engines, '`verify`', 'presigned')}
## The service

Single links, from 32 connections over loopback. Each connection sends its next request when the last one has been answered.

${service(engines)}

A batch of 1,000 links, beside 1,000 calls of \`sign\` by 64 rolling workers:

${batch(engines)}

## Sizes

Bundled by esbuild, minified, and compressed with gzip.

${measuredSizes ? sizes(measuredSizes) : ''}

## Method

* **Paired rounds.** Ours and a peer run one right after the other, for about 8 ms each and in random order. Their ratio is kept. Then the next peer has
  its turn. Absolute times on a shared machine move by half from one minute to the next; the ratios move much less.
* **Rolling workers.** Each worker starts its next call when its last one has ended, as servers do. Batches that start together would give better figures.
* **JavaScript share.** The methods of \`crypto.subtle\` are replaced by functions that answer at once, and the processor time is measured. Chromium
  does not report that time, so there the elapsed time is measured.
* **Many URLs.** Calls take turns with 1,024 different URLs, because engines remember what they have found in a string.
* **One process for each comparison.** Each comparison runs in a fresh process or page of each engine.

## Repeat it

\`npm ci\`, then \`npm run bench\`. \`npm run bench -- --only=sign,verify\` runs some of the parts: \`sign\`, \`verify\`, \`remembered\`, \`presign\`,
\`presigned\`, \`heap\`, \`service\`, \`sizes\`, \`recognise\` and \`nginx\`. \`--rounds=101\` makes more rounds. The code is in
[\`test/bench\`](../test/bench/all.mjs).
`
}
