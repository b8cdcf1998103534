// A link that `sign` returns opens for a request. Conditions that no request can meet, and URLs that no request has, are refused.
// Each case takes a vector's URL and conditions, and changes them as a caller could by mistake.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inspect, LinkError, redeem, type Scheme, sign } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { type Entry, type Group, schemes, type Vector } from '../conformance/vectors/index.ts'

// SEED=… runs other cases, and RUNS=… more of them.
const seed = Number(process.env['SEED'] ?? 20261127)
const numRuns = Number(process.env['RUNS'] ?? 60)

type Values = Readonly<Record<string, unknown>>
type Texts = Readonly<Record<string, string>>
/** Chooses one of a list. */
type Pick = <T>(list: readonly T[]) => T

/** All values that the vectors of a scheme give to each of its conditions. */
function vocabularyOf({ vectors }: Entry): ReadonlyMap<string, unknown[]> {
  const values = new Map<string, unknown[]>()
  for (const { conditions = {} } of vectors.testGroups.flatMap(({ tests }) => tests))
    for (const [name, value] of Object.entries(conditions)) values.set(name, [...(values.get(name) ?? []), value])
  return values
}

const withOtherCase = (text: string) => text.replace(/[a-z]/gi, (letter) => (letter < 'a' ? letter.toLowerCase() : letter.toUpperCase()))

const ODD_VALUES = ['', ' x', 'x ', 'a  b', 'a\tb', 'ü', '中', '%zz', 'a&b=c', 'a,b', 'a;b', 'a:b', '~']
const ODD_NAMES = ['', 'host', 'Host', 'content-length', 'range', 'date', 'x:a', 'x y', 'ü', 'x-A_b.c', '100%', '%zz', 'a%2Fb']

/** A condition as a caller could write it by mistake: in another case, with spaces, twice, or empty. */
function changedCondition(value: unknown, parameters: readonly string[], pick: Pick): unknown {
  if (typeof value === 'string')
    return pick([value, value, withOtherCase(value), `${value} `, ` ${value}`, `${value},`, `${value},${value}`, '*', [value, value], []])
  if (Array.isArray(value)) return pick([value, [...value, ...value], []])
  if (typeof value !== 'object' || value === null) return value
  const names = [...ODD_NAMES, ...parameters, ...parameters.map(withOtherCase)]
  const inBothCases = Object.entries(value).flatMap(([name, text]) => [
    [name, text],
    [withOtherCase(name), `${text}x`],
  ])
  return pick([value, {}, Object.fromEntries(inBothCases), { ...value, 'x-new': pick(ODD_VALUES) }, { ...value, [pick(names)]: '1' }])
}

const ODD_QUERIES = ['a=1&A=2', 'a=1&a=2', '&', '', 'b', '=1', '%zz', 'a=%zz', '100%25=1', 'x=a+b%20c', 'ü=1', 'a[]=1&a[0]=2', 'a=%2B']
const ODD_ENDS = ['.', '/', '//', ' x', '%2e', '%2F', ';a=1', '%00', ':', '*', '$', '@', '~', '%zz', '%E4', '~hmac=00', '!x', '=']

function changedUrl(url: string, parameters: readonly string[], pick: Pick): string {
  const query = pick([...ODD_QUERIES, ...parameters.map((name) => `${withOtherCase(name)}=1`)])
  const withSlashes = url.replace(/\/[^/]*$/, () => '//a')
  return pick([url, url, `${url}${url.includes('?') ? '&' : '?'}${query}`, url + pick(ODD_ENDS), withSlashes])
}

/** The conditions of a vector: some left out, some added from other vectors, and changed. */
function conditionsFrom(vector: Vector, vocabulary: ReadonlyMap<string, unknown[]>, scheme: Scheme, pick: Pick): Values {
  const { expires, starts, ...given } = vector.conditions as NonNullable<Vector['conditions']>
  const signedAt = Date.parse(vector.signedAt as string)
  const asked: Record<string, unknown> = { expires: expires === 'never' ? expires : new Date(expires) }
  if (starts) asked['starts'] = new Date(starts)
  else if (scheme.carries.includes('starts') && pick([false, false, true]))
    asked['starts'] = new Date(signedAt + pick([-1, 0, 1, 60]) * 1000)
  for (const [name, value] of Object.entries(given))
    if (scheme.requires?.includes(name) || pick([true, true, true, false])) asked[name] = value
  const others = [...vocabulary.keys()].filter((name) => (scheme.own ?? []).concat(scheme.carries).includes(name) && name !== 'starts')
  const some = others.length > 0 ? [pick(others), ...pick([[], [pick(others)]])] : []
  for (const name of some) asked[name] = changedCondition(pick(vocabulary.get(name) as unknown[]), scheme.parameters, pick)
  return asked
}

/** The address that the conditions name: the first one of a network or a range. */
function addressOf({ ip, ipRange, ipRanges }: Values): string | undefined {
  const named = [ip, ipRange, ipRanges].flat().find((each) => typeof each === 'string') as string | undefined
  return named && /^[\da-f.:]+/i.exec(named.replace(/^[\s[]+/, ''))?.[0]
}

interface Sent {
  readonly url: string
  readonly options: { readonly method: string; readonly ip?: string; readonly headers: Texts }
}

/** The requests that a link and its conditions name. Vendors who sign a method do not show it, so all are tried. */
function* requestsFor(link: string, asked: Values, scheme: Scheme): Generator<Sent> {
  const headers = { ...(asked['headers'] as Texts), ...(asked['requestHeaders'] as Texts) }
  const [url = ''] = link.split('#')
  const has = new Set([...url.matchAll(/[?&]([^=&]*)/g)].map(([, name]) => name))
  const bound = Object.entries((asked['requestQueryParameters'] as Texts) ?? {}).filter(([name]) => !has.has(encodeURIComponent(name)))
  const query = bound.map(([name, value]) => `&${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('')
  const ip = addressOf(asked)
  const methods = [asked['method'], inspect(scheme, link)?.unverified.methods].flat().filter((each) => typeof each === 'string')
  for (const method of new Set([...methods, 'GET', 'PUT', 'POST', 'DELETE', 'HEAD']))
    yield { url: url + query, options: { method: method.toUpperCase(), headers, ...(ip && { ip }) } }
}

/** Refusals by which the link is valid, and for a request that this test does not know, or for a token in a cookie. */
const isForOthers = (reason: string, asked: Values, scheme: Scheme): boolean =>
  // The operations of some permissions of Azure have a parameter `comp`. The links of an account are for all URLs of a service.
  (scheme.name === 'azure' && (reason === 'wrong_method' || (reason === 'wrong_path' && asked['services'] !== undefined))) ||
  // Patterns need not match the URL, because the token can go into a cookie.
  (reason === 'wrong_path' && (asked['acl'] ?? asked['pathGlobs']) !== undefined)

/** Why no request opens a link. `undefined`: one does. */
async function refusalOf(link: string, asked: Values, scheme: Scheme, now: () => Date): Promise<string | undefined> {
  const reasons = new Set<string>()
  for (const { url, options } of requestsFor(link, asked, scheme)) {
    const verdict = await redeem(scheme, url, { now, ...options, store: memoryStore({ now }) })
    if (verdict.ok || isForOthers(verdict.reason, asked, scheme)) return undefined
    reasons.add(verdict.reason)
  }
  return [...reasons].join()
}

const dated = (key: Group['keys'][number]) => ({
  ...key,
  ...(key.starts && { starts: new Date(key.starts) }),
  ...(key.expires && { expires: new Date(key.expires) }),
})

const NUMBERS = fc.array(fc.nat(), { minLength: 30, maxLength: 30 })

describe(`what sign returns opens, SEED=${seed}`, () => {
  for (const entry of schemes) {
    const bases = entry.vectors.testGroups.flatMap(({ keys, options, tests, inspectOnly }) =>
      tests.filter(({ conditions }) => conditions && !inspectOnly).map((vector) => ({ keys, options, vector })),
    )
    test(entry.vectors.scheme, async () => {
      const vocabulary = vocabularyOf(entry)
      let opened = 0
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...bases), NUMBERS, async ({ keys, options, vector }, numbers) => {
          const left = [...numbers]
          const pick: Pick = (list) => list[(left.pop() as number) % list.length] as (typeof list)[number]
          const scheme = entry.make(keys.map(dated), options)
          const asked = conditionsFrom(vector, vocabulary, scheme, pick)
          const url = changedUrl(vector.url as string, scheme.parameters, pick)
          const signedAt = new Date(vector.signedAt as string)
          const link = await sign(scheme, url, asked as never, { now: () => signedAt }).catch((error) => {
            expect(error).toBeInstanceOf(LinkError)
            return undefined
          })
          if (link === undefined) return
          const time = new Date(Math.max(+signedAt, +((asked['starts'] as Date) ?? 0)))
          expect({ link, asked, refusal: await refusalOf(link, asked, scheme, () => time) }).toMatchObject({ refusal: undefined })
          opened++
        }),
        { seed, numRuns },
      )
      // Otherwise the conditions are changed so much that `sign` refuses them all.
      expect(opened).toBeGreaterThan(numRuns / 20)
    })
  }
})
