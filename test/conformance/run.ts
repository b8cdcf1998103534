// The suite as one module for every engine: run(log) writes TAP 14; mint() and accept() are for the exchange between engines.
import { hmac, type Scheme, sign, type VerifyOptions, verify } from '../../src/index.ts'
import { type Case, cases } from './suite.ts'

/** Runs all cases, and resolves to the number of those that failed. */
export function run(log: (line: string) => void): Promise<number> {
  return tap(cases, log)
}

async function tap(cases: readonly Case[], log: (line: string) => void): Promise<number> {
  let failed = 0
  log(`TAP version 14\n1..${cases.length}`)
  for (const [i, { name, run }] of cases.entries()) {
    // In TAP, # begins a directive.
    const line = `${i + 1} - ${name.replace(/[\\#]/g, '\\$&')}`
    try {
      await run()
      log(`ok ${line}`)
    } catch (error) {
      failed++
      log(`not ok ${line}\n  ---\n  message: ${JSON.stringify(String(error))}\n  ...`)
    }
  }
  return failed
}

// Engines print these differently, or have done so; none contains a parameter of a link.
const RESOURCES = [
  '/plain.txt',
  '/a|b^c?d|e^f',
  '/a b/c?d e',
  '/a%20b?c%20d&e+f',
  '/%2F/%2f?%2F%2f',
  '/%zz/%/%a?%zz&%&%a',
  '/ä/ß/é?ü=ö',
  '/%C3%A4/%c3%a4?%C3%BC=%c3%b6',
  '/e\u0301/\u00e9?e\u0301',
  '/😀?😀=😀',
  '//double//slash//?//',
  '/a/.b/..c/d.?a/./b/../c',
  '/a/%2e%2Eb/.%2ec/%2e.%2e?%2e%2E',
  '/a/...',
  "/it's?it's=1",
  '/"quoted"?"quoted"',
  '/(a)*!?(b)*!',
  '/a+b?c+d',
  '/~/%7e/%7E?~&%7e',
  '/[a]?[b]=c&d[]=1&d[]=2',
  '/`?`',
  '/{a}?{b}',
  '/<a>?<b>',
  '/a;b,c=d@e:f$g&h?;b,c=d@e:f$g&h/i?j',
  '/a?b=\\c',
  '/a?z=1&a=2&z=0&%61=3',
  '/a?&&b&&',
  '/a?',
  '/a?b#fragment',
  '/%41%42%43?%61=%62',
  '',
]

const NOW = new Date('2030-01-01T00:00:00Z')
const keys = [{ id: 'exchange', secret: 'a secret for the exchange, known to all' }]

/** Settings and conditions; the resources are dealt out to them in turn. */
const KINDS = [
  { options: {}, conditions: {} },
  { options: {}, conditions: { prefix: '/' } },
  { options: { ignore: ['utm_*'], purpose: 'exchange' }, conditions: { ip: '203.0.113.0/24' }, ip: '::ffff:203.0.113.99' },
  { options: { origin: true }, conditions: { method: 'PUT' }, method: 'PUT' },
] as const

type Placement = 'query' | 'path'

interface Minted {
  readonly engine: string
  readonly links: readonly { readonly kind: number; readonly placement: Placement; readonly link: string }[]
}

const schemeOf = (kind: number, placement: Placement): Scheme => hmac(keys, { ...KINDS[kind]?.options, placement })

/** Signs every resource in both placements: as text, and as this engine's own URL and Request print it. */
export async function mint(): Promise<Minted> {
  const links: Minted['links'][number][] = []
  for (const [i, resource] of RESOURCES.entries()) {
    const kind = i % KINDS.length
    // With the origin covered: a spelling of it that URL changes.
    const url = `${kind === 3 ? 'HTTPS://Files.Test:443' : 'https://files.test'}${resource}`
    for (const placement of ['query', 'path'] as const) {
      for (const spelling of [url, new URL(url).href, new Request(url).url]) {
        const conditions = { ...KINDS[kind]?.conditions, expires: new Date('2031-01-01T00:00:00Z') }
        links.push({ kind, placement, link: await sign(schemeOf(kind, placement), spelling, conditions, { now: () => NOW }) })
      }
    }
  }
  return { engine: globalThis.navigator?.userAgent ?? 'an engine without a name', links }
}

const VISITS = {
  text: (link: string) => link,
  'a URL': (link: string) => new URL(link),
  'a Request': (link: string, method: string) => new Request(link, { method }),
}

/** Verifies what all engines minted, in three forms, and resolves to the number of forms in which some link was refused. */
export function accept(minted: readonly unknown[], log: (line: string) => void): Promise<number> {
  const all = (minted as Minted[]).flatMap(({ engine, links }, i) =>
    Object.entries(VISITS).map(([form, visit]) => ({
      name: `${links.length} links of engine ${i + 1} as ${form} (${engine})`,
      async run() {
        const refused: string[] = []
        for (const { kind, placement, link } of links) {
          const { ip, method = 'GET' } = KINDS[kind] as { ip?: string; method?: string }
          const options: VerifyOptions = { now: () => NOW, method, ...(ip && { ip }) }
          // Clients keep the fragment to themselves.
          const sent = link.replace(/#.*/, '')
          const { ok, reason } = await verify(schemeOf(kind, placement), visit(sent, method), options)
          if (!ok) refused.push(`${reason} ${link}`)
        }
        if (refused.length > 0) throw new Error(refused.join('\n'))
      },
    })),
  )
  return tap(all, log)
}
