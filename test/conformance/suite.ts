// The conformance suite: every vector of every scheme, and cases that need no vector. It depends on no runtime and no test framework, so that each
// engine can run it: a case throws to fail.
import { guard } from '../../src/guard.ts'
import {
  type Conditions,
  hmac,
  inspect,
  LinkError,
  redeem,
  type Scheme,
  sign,
  statusOf,
  type Verdict,
  type VerifyOptions,
  verify,
} from '../../src/index.ts'
import { pichax } from '../../src/schemes/pichax.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { type Group, schemes, type Vector, type Vectors } from './vectors/index.ts'

/** A case is a name and a function that throws to fail. */
export interface Case {
  readonly name: string
  run(): Promise<void>
}

function equal(actual: unknown, expected: unknown, what: string): void {
  const [got, want] = [print(actual), print(expected)]
  if (got !== want) throw new Error(`${what}: got ${got}, not ${want}`)
}

// As JSON, with the members of an object in one order.
function print(value: unknown): string {
  const sorted = (_: string, part: unknown) =>
    part && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part
  return JSON.stringify(value, sorted) ?? 'undefined'
}

/** The scheme, which puts every string that it signs or verifies on a list. */
export function recorded(scheme: Scheme, strings: unknown[]): Scheme {
  return {
    ...scheme,
    ...(scheme.schemes && { schemes: scheme.schemes.map((member) => recorded(member, strings)) }),
    async write(grant, key) {
      const draft = await scheme.write(grant, key)
      strings.push(draft.toSign)
      return draft
    },
    read(url, header) {
      const reading = scheme.read(url, header)
      if (typeof reading === 'string' || 'malformed' in reading) return reading
      return {
        ...reading,
        async toSign(visit, key) {
          const toSign = await reading.toSign(visit, key)
          strings.push(...[toSign].flat())
          return toSign
        },
      }
    },
  }
}

// Vectors.

const date = (text: string | undefined) => (text === undefined ? {} : new Date(text))

// Dates as claims print them.
function claimsOf({ claims }: Vector): unknown {
  const dated = { ...claims }
  for (const name of ['expires', 'starts']) if (dated[name]) dated[name] = new Date(dated[name] as string)
  return dated
}

function keysOf({ keys }: Group): object[] {
  return keys.map((key) => ({
    ...key,
    ...(key.starts && { starts: date(key.starts) }),
    ...(key.expires && { expires: date(key.expires) }),
  }))
}

async function visit(scheme: Scheme, url: string, { visit }: Vector): Promise<Verdict> {
  const { ip, method, headers, tolerance, revoked, redeemed } = visit
  const now = () => new Date(visit.now)
  const options = {
    now,
    ...(ip && { ip }),
    ...(method && { method }),
    ...(headers && { headers }),
    ...(tolerance && { tolerance }),
    ...(revoked && { revoked: () => true }),
  } as VerifyOptions
  if (redeemed === undefined) return verify(scheme, url, options)
  const store = memoryStore({ now })
  const { id = '' } = inspect(scheme, url)?.unverified ?? {}
  for (let i = 0; i < redeemed; i++) await store.take(id, new Date(+now() + 60_000), redeemed)
  return redeem(scheme, url, { ...options, store })
}

function signing(scheme: Scheme, { url, conditions, signedAt }: Vector): Promise<string> {
  const { expires, starts, ...others } = conditions as NonNullable<Vector['conditions']>
  const asked = { ...others, expires: expires === 'never' ? expires : date(expires), ...(starts && { starts: date(starts) }) }
  return sign(scheme, url as string, asked as Conditions<never>, { now: () => new Date(signedAt as string) })
}

async function check(scheme: Scheme, vector: Vector, covered: Vectors['covered']): Promise<void> {
  const { link, text, canonical, anyOrder, result, claims } = vector
  const url = vector.visit.url ?? link
  if (vector.conditions) {
    const texts: unknown[] = []
    const signed = await signing(recorded(scheme, texts), vector)
    equal(anyOrder ? parts(signed) : signed, anyOrder ? parts(link) : link, 'link')
    if (text !== undefined) signedText(texts, text, 'string to sign')
  }
  if (canonical !== undefined) equal(await sha256(canonical), text?.slice(-64), 'canonical request')

  const texts: unknown[] = []
  const verdict = await visit(recorded(scheme, texts), url, vector)
  equal(verdict.ok ? 'ok' : verdict.reason, result, 'result')
  if (claims) equal(verdict.claims, claimsOf(vector), 'claims')
  if (verdict.ok) equal(verdict.scheme, scheme.name, 'scheme')
  if (verdict.ok && text !== undefined) signedText(texts, text, 'string to check')
  if (!verdict.ok) {
    equal(verdict.status, scheme.status?.[verdict.reason] ?? statusOf(verdict.reason), 'status')
    equal(verdict.claims === undefined, ['unsigned', 'malformed', 'unknown_key', 'bad_signature'].includes(verdict.reason), 'no claims')
  }
  // A link may have a fragment, for the client. A request never has one, so only `verify` refuses it.
  if (!url.includes('#')) equal(inspect(scheme, url) === undefined, ['unsigned', 'malformed'].includes(result), 'nothing to inspect')
  if (verdict.ok)
    for (const changed of tampered(url, covered)) equal((await visit(scheme, changed, vector)).ok, false, `accepted ${changed}`)
}

// Other strings may come before it: those that a key of the day is derived with.
function signedText(texts: readonly unknown[], text: string, what: string): void {
  if (!texts.includes(text)) equal(texts[0], text, what)
}

// The URL up to its query, and its parameters in one order.
const parts = (url: string): string[] =>
  url
    .split(/[?&]/)
    .map((part, i) => `${+!!i}${part}`)
    .sort()

async function sha256(text: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

// One changed character at the start, in the middle and at the end of every covered value; or each covered character.
function tampered(url: string, covered: Vectors['covered']): string[] {
  if ('allBut' in covered) {
    const marked = url.replace(new RegExp(covered.allBut, 'g'), (part) => ' '.repeat(part.length))
    // In lower case, because a host in upper case is the same host.
    const instead = (is: string) => (/\d/.test(is) ? other(is) : is === 'x' ? 'y' : 'x')
    return [...marked].flatMap((is, at) => (is === ' ' ? [] : url.slice(0, at) + instead(is) + url.slice(at + 1)))
  }
  return covered.flatMap((name) => {
    const found = new RegExp(`[/?&,]${name}=([^&#/,]+)`, 'd').exec(url)?.indices?.[1]
    if (!found) return []
    const [start, end] = found
    return [...new Set([start, (start + end) >> 1, end - 1])].map((at) => url.slice(0, at) + other(url[at]) + url.slice(at + 1))
  })
}

// Digits stay digits, so that the value is refused and not its form.
const other = (character = ''): string => (/\d/.test(character) ? `${(+character + 1) % 10}` : character === 'A' ? 'B' : 'A')

async function read(scheme: Scheme, vector: Vector): Promise<void> {
  const reading = scheme.read(vector.link)
  equal(typeof reading === 'string' ? reading : 'ok', vector.result, 'result')
  if (vector.claims) equal(inspect(scheme, vector.link)?.unverified, claimsOf(vector), 'claims')
}

const vectorCases: Case[] = schemes.flatMap(({ make, vectors }) =>
  vectors.testGroups.flatMap((group) =>
    group.tests.map((vector) => ({
      name: `${vectors.scheme} ${vector.id}: ${vector.comment}`,
      async run() {
        const scheme = make(keysOf(group), group.options)
        await (group.inspectOnly ? read(scheme, vector) : check(scheme, vector, vectors.covered))
      },
    })),
  ),
)

// Cases that need no vector.

const SECRET = '0123456789abcdef0123456789abcdef'
const NOW = new Date('2030-01-01T00:00:00Z')
const LATER = new Date('2030-01-01T01:00:00Z')
const now = (): Date => NOW
const at = { now }
const links = hmac({ id: 'a', secret: SECRET })

async function refusal(scheme: Scheme, url: string | URL | Request, options: VerifyOptions = at): Promise<string> {
  return (await verify(scheme, url, options)).reason ?? 'ok'
}

async function thrown(work: () => unknown): Promise<string> {
  try {
    await work()
  } catch (error) {
    return error instanceof LinkError ? error.code : String(error)
  }
  return 'nothing'
}

const concurrency: Case = {
  name: '64 links at a time on one keyring: the shared buffer never mixes up strings to sign',
  async run() {
    // With a new keyring the first calls wait until the key is imported. Lengths differ, and some do not fit the buffer.
    const urls = Array.from({ length: 64 }, (_, i) => `/${i}/${`${i}`.repeat(i * i)}?q=${i}`)
    const fresh = hmac([{ secret: 'another secret that is 32 bytes long' }, { secret: SECRET }])
    const signed = await Promise.all(urls.map((url) => sign(fresh, url, { expires: LATER }, at)))
    for (const [i, url] of urls.entries()) equal(await sign(fresh, url, { expires: LATER }, at), signed[i], `link ${i}`)

    const old = await Promise.all(urls.map((url) => sign(hmac({ secret: SECRET }), url, { expires: LATER }, at)))
    const signatures = signed.map((link) => link.slice(-43))
    const swapped = signed.map((link, i) => link.slice(0, -43) + signatures[(i + 1) % 64])
    const verdicts = await Promise.all([...signed, ...old, ...swapped].map((link) => refusal(fresh, link)))
    equal(verdicts, [...Array(128).fill('ok'), ...Array(64).fill('bad_signature')], 'verdicts')
  },
}

const cryptoKeys: Case = {
  name: 'a CryptoKey that cannot be extracted signs and verifies, and text, bytes and CryptoKey of one secret are the same key',
  async run() {
    const algorithm = { name: 'HMAC', hash: 'SHA-256' }
    const bytes = new TextEncoder().encode(SECRET)
    const imported = await crypto.subtle.importKey('raw', bytes, algorithm, false, ['sign', 'verify'])
    const [text, ...same] = await Promise.all(
      [SECRET, bytes, imported].map((secret) => sign(hmac({ secret }), '/a', { expires: LATER }, at)),
    )
    equal(same, [text, text], 'links')
    equal(await refusal(hmac({ secret: imported }), text as string), 'ok', 'verdict')

    const secret = await crypto.subtle.generateKey({ ...algorithm, length: 256 }, false, ['sign', 'verify'])
    equal(await refusal(hmac({ secret }), await sign(hmac({ secret }), '/a', { expires: LATER }, at)), 'ok', 'generated')
    const weak = await crypto.subtle.generateKey({ ...algorithm, length: 128 }, false, ['sign', 'verify'])
    equal(await thrown(() => hmac({ secret: weak })), 'weak_key', '16 bytes')
  },
}

const guarded: Case = {
  name: 'guard answers requests with 200, 403, 405, 410 and 400; refusals are not cached and repeat nothing of the link',
  async run() {
    const fetch = guard(
      links,
      (_request, claims) => new Response(`hello ${claims.resource}`, { headers: { 'x-key': `${claims.keyId}` } }),
      at,
    )
    const link = await sign(links, 'https://files.test/a.txt?page=2', { expires: LATER }, at)
    const old = await sign(links, 'https://files.test/a.txt', { expires: NOW }, { now: () => new Date(+NOW - 1000) })
    const put = await sign(links, 'https://files.test/a.txt', { expires: LATER, method: ['PUT', 'GET'] }, at)

    const good = await fetch(new Request(link))
    equal([good.status, good.headers.get('x-key'), await good.text()], [200, 'a', 'hello https://files.test/a.txt?page=2'], 'good')
    equal((await fetch(new Request(link, { method: 'HEAD' }))).status, 200, 'HEAD')
    equal((await fetch(new Request(put, { method: 'PUT' }))).status, 200, 'PUT')

    const forged = `${link.slice(0, -2)}AA`
    const refused: [status: number, reason: string, url: string, method: string][] = [
      [403, 'unsigned', 'https://files.test/a.txt', 'GET'],
      [403, 'bad_signature', forged, 'GET'],
      [403, 'bad_signature', link.replace('page=2', 'page=3'), 'GET'],
      [400, 'malformed', link.slice(0, -1), 'GET'],
      [410, 'expired', old, 'GET'],
      [405, 'wrong_method', link, 'POST'],
      [405, 'wrong_method', put, 'DELETE'],
      [410, 'expired', old, 'HEAD'],
    ]
    for (const [status, reason, url, method] of refused) {
      const response = await fetch(new Request(url, { method }))
      const { headers } = response
      const body = await response.text()
      const problem = reason === 'malformed' ? { status, reason, parameter: 'signature' } : { status, reason }
      equal(
        [response.status, headers.get('cache-control'), headers.get('content-type')],
        [status, 'no-store', 'application/problem+json'],
        reason,
      )
      equal(headers.get('allow'), status === 405 ? (url === put ? 'GET, HEAD, PUT' : 'GET, HEAD') : null, `allow, ${reason}`)
      if (method === 'HEAD') equal(body, '', 'body of HEAD')
      if (method !== 'HEAD')
        equal({ ...JSON.parse(body), type: 0, title: 0, detail: 0 }, { ...problem, type: 0, title: 0, detail: 0 }, 'problem')
      const values = [...url.matchAll(/=([^&]{3,})/g)].map(([, value]) => value as string)
      for (const word of [...values, 'files.test', 'a.txt', 'signature=', SECRET])
        equal(body.includes(word), false, `the body contains ${word}`)
    }
  },
}

const shapes: Case = {
  name: 'a request is a string, a URL or a Request, and a Request brings its method',
  async run() {
    const url = 'https://files.test/a%20b.txt?q=%41&z'
    const link = await sign(links, url, { expires: LATER }, at)
    equal(await sign(links, new URL(url), { expires: LATER }, at), link, 'link')
    for (const visit of [
      link,
      link.slice('https://files.test'.length),
      new URL(link),
      new Request(link),
      new Request(link, { method: 'HEAD' }),
    ])
      equal(await refusal(links, visit), 'ok', 'verdict')
    equal(await refusal(links, new Request(link, { method: 'POST' })), 'wrong_method', 'POST')
    equal(await refusal(links, new Request(link, { method: 'POST' }), { ...at, method: 'GET' }), 'ok', 'the option wins over the request')
    equal(inspect(links, new URL(link))?.unverified.keyId, 'a', 'inspect')
  },
}

const everyCharacter: Case = {
  name: 'no character of a link can be changed',
  async run() {
    for (const scheme of [links, hmac({ secret: SECRET }, { placement: 'path' })]) {
      const link = await sign(scheme, '/a', { expires: LATER }, at)
      const changed = [...link].flatMap((character, i) =>
        [other(character), '%', '/'].filter((odd) => odd !== character).map((odd) => link.slice(0, i) + odd + link.slice(i + 1)),
      )
      const accepted = await Promise.all(changed.map(async (url) => ((await verify(scheme, url, at)).ok ? url : '')))
      equal(accepted.filter(Boolean), [], 'accepted')
    }
  },
}

const clashes: Case = {
  name: 'a URL with a parameter of the link is not signed, whatever its value',
  async run() {
    for (const query of ['expires=1', 'expires=', 'expires', 'id=%zz', '%69d=', 'uses', 'signature=&b'])
      equal(await thrown(() => sign(links, `/a?${query}`, { expires: LATER }, at)), 'bad_option', query)
  },
}

const climbing: Case = {
  name: 'a URL with dot segments is refused by sign, or its link is valid after a client has resolved them',
  async run() {
    const scheme = hmac({ secret: SECRET }, { placement: 'path' })
    for (const path of ['/a/../b', '/../b', '/a/../../b', '/%2e%2e/b', '/.', '/..', '']) {
      try {
        const link = await sign(scheme, `https://files.test${path}`, { expires: LATER }, at)
        equal(await refusal(scheme, new URL(link)), 'ok', link)
      } catch (error) {
        if (!(error instanceof LinkError)) throw error
      }
    }
  },
}

// Not vectors, because most JSON parsers refuse half a surrogate pair, or replace it.
const surrogates: Case = {
  name: 'half a surrogate pair in a request is malformed, because encoders would turn it into the character U+FFFD',
  async run() {
    const link = await sign(links, '/%EF%BF%BD?%EF%BF%BD', { expires: LATER, id: '\ufffd' }, at)
    equal(await refusal(links, link), 'ok', 'U+FFFD itself')
    for (const half of ['\ud83c', '\udfac', '\udfac\ud83c'])
      for (const text of [link.replace('%EF%BF%BD', half), link.replace('?%EF%BF%BD', `?${half}`)])
        equal(await refusal(links, text), 'malformed', 'in path and query')
    const covered = hmac({ secret: SECRET }, { origin: true })
    const host = await sign(covered, 'https://xn--zn7c.test/a', { expires: LATER }, at)
    equal(await refusal(covered, host), 'ok', 'U+FFFD in the host, as clients write it')
    equal(await refusal(covered, host.replace('xn--zn7c', '\ud83c')), 'malformed', 'in the host')
    equal(await thrown(() => sign(covered, 'https://\ufffd.test/a', { expires: LATER }, at)), 'bad_option', 'signing for U+FFFD')
    for (const scheme of [links, hmac({ secret: SECRET }, { placement: 'path' }), pichax({ id: 'a', secret: 'b' })]) {
      const link = await sign(scheme as Scheme<never, { id: string }>, '/a', { expires: LATER, id: 'half' }, at)
      equal(await refusal(scheme, link.replace('id=half', 'id=\ud83c')), 'malformed', `in the id of ${scheme.name}`)
    }
  },
}

const emptyRing: Case = {
  name: 'an empty keyring reads links, and neither signs nor verifies',
  async run() {
    const link = await sign(links, 'https://files.test/a?q', { expires: LATER, method: 'PUT', uses: 2, id: 'x' }, at)
    const unverified = { resource: 'https://files.test/a?q', expires: LATER, methods: ['PUT'], uses: 2, id: 'x', keyId: 'a' }
    equal(inspect(hmac([]), link), { scheme: 'hmac', unverified }, 'inspect')
    equal(inspect(hmac([]), 'https://files.test/a?q'), undefined, 'inspect')
    equal(await thrown(() => verify(hmac([]), link)), 'no_key', 'verify')
    equal(await thrown(() => sign(hmac([]), '/a', { expires: '1h' })), 'no_key', 'sign')
    equal(await refusal(hmac([]), '/a'), 'unsigned', 'nothing to verify')
  },
}

const oneTime: Case = {
  name: 'a link with 3 uses admits 3 of 20 requests at a time',
  async run() {
    const store = memoryStore({ now })
    const link = await sign(links, '/invite', { expires: LATER, uses: 3 }, at)
    const verdicts = await Promise.all(Array.from({ length: 20 }, async () => (await redeem(links, link, { ...at, store })).reason ?? 'ok'))
    equal(verdicts.sort(), [...Array(3).fill('ok'), ...Array(17).fill('used')], 'verdicts')
  },
}

/** All cases, in the order in which they run. */
export const cases: readonly Case[] = [
  ...vectorCases,
  concurrency,
  cryptoKeys,
  guarded,
  shapes,
  everyCharacter,
  clashes,
  climbing,
  surrogates,
  emptyRing,
  oneTime,
]
