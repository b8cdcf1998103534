// explain: why is this link refused, and which mistake would have made exactly the signature that came?
import type { SecretKey } from '../core/keys.ts'
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { assertScheme, type Scheme } from '../core/scheme.ts'
import { presentTime } from '../core/time.ts'
import type { Refused, Verdict } from '../core/verdict.ts'
import { VERIFY_OPTIONS, type VerifyOptions, type Visited, verify, visitOf } from '../core/verify.ts'
import { LONGEST } from '../lib/url.ts'
import { type Attempt, shown } from './attempt.ts'
import type { Mistake } from './mistake.ts'
import { isReading } from './read.ts'
import { explainRefusal, explainUnknownKey } from './refused.ts'
import type { Rule, Variant } from './rule.ts'
import { LINK_RULES } from './rules/link.ts'
import { REQUEST_RULES } from './rules/request.ts'
import { SECRET_RULES } from './rules/secret.ts'
import { HASH_RULES, TEXT_RULES } from './rules/text.ts'
import { type Expected, type Found, Search } from './search.ts'
import type { Table } from './table.ts'
import { TABLES } from './tables/all.ts'
import { explainMalformed, explainUnsigned } from './unread.ts'

/** A factory of a scheme with the arguments that made it. */
export type Make = readonly [factory: (keys: never, options: never) => Scheme, keys: unknown, options?: object]

/** Options of {@link explain}. */
export interface ExplainOptions extends VerifyOptions {
  /** The factory of the scheme, its keys and its options, so that other options are tried as well: `[hmac, keys, { origin: true }]`. */
  readonly make?: Make
  /** How many signatures are computed at most. Default: 5,000, which takes about a second. */
  readonly bound?: number
  /** Tables of mistakes for schemes of your own. They come on top of those of the package. Default: none. */
  readonly tables?: readonly Table[]
}

/** The answer of {@link explain}. */
export interface Explanation {
  /** What `verify` answers. */
  readonly verdict: Verdict
  /** The string to sign of the verifier, with `<secret>` in place of a secret. Missing if the link cannot be read. */
  readonly stringToSign?: string
  /** The request in canonical form, for schemes that sign its hash. */
  readonly canonicalRequest?: string
  /** The signature that the verifier expects. **It is a valid signature**: show it to people who hold the key, and to nobody else. */
  readonly expected?: string
  /** The string that was signed, if the mistake is found and the string is another one. */
  readonly signed?: string
  /** The mistake that explains the refusal, or the two that do so together. Empty if none is found. */
  readonly mistakes: readonly Mistake[]
  /** How many signatures were computed. */
  readonly tried: number
}

const OPTIONS = [...VERIFY_OPTIONS, 'make', 'bound', 'tables'] as const

/**
 * Tells why a link is refused. It takes the arguments of `verify`, and answers with the verdict, the string to sign, the expected signature, and
 * the mistake that would have made exactly the signature of the link: a line break behind the secret, another region, a path that was signed
 * decoded. Each mistake is tried alone and then together with others, the likely ones first.
 *
 * A mistake is named only if its signature is that of the link, or if it is plain to see, such as a missing parameter. An empty list means that
 * none of the known mistakes made this signature; it may be forged.
 *
 * **The answer holds a valid signature** in `expected`. It is for terminals and logs of people who hold the key. Never answer a request with it.
 * The texts of `mistakes` hold no secret and no signature.
 *
 * @param scheme - The scheme and keys of the verifier.
 * @param request - The link as it arrived, or the `Request`.
 * @param options - Those of `verify`, and `make`, `bound` and `tables`.
 * @throws A `LinkError` where `verify` throws one, and for a wrong option.
 *
 * @example
 * ```ts
 * import { hmac } from 'securelink'
 * import { explain } from 'securelink/explain'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const { mistakes } = await explain(links, 'https://cdn.example/report.pdf?expires=1900000000000&signature=forged')
 * console.log(mistakes[0]?.sentence) // The parameter expires is a time in milliseconds.
 * ```
 */
export async function explain(scheme: Scheme, request: Visited, options: ExplainOptions = {}): Promise<Explanation> {
  assertScheme(scheme)
  assertKnownOptions(options, OPTIONS, 'explain()')
  const { make, bound = 5000, tables = [], ...verifyOptions } = options
  assertOption(Number.isInteger(bound) && bound >= 0, 'bound', 'a whole number')
  assertOption(make === undefined || (Array.isArray(make) && typeof make[0] === 'function'), 'make', 'a list of a factory, its keys and its options')
  assertOption(Array.isArray(tables), 'tables', 'a list of tables')

  const verdict = await verify(scheme, request, verifyOptions)
  const base = attemptOf(scheme, request, verifyOptions)
  if (base.url.length > LONGEST) return { verdict, mistakes: [explainMalformed(base.url, scheme, undefined, verdict as Refused)], tried: 0 }

  const search = new Search(bound)
  const all = [...tables, ...TABLES]
  const attempts = membersOf(scheme, base)
  const tableOf = ({ scheme: { name } }: Attempt) => all.find(({ schemes }) => schemes.includes(name))
  const first = attempts[0] as Attempt
  const expected = bound > 0 ? await search.expected(first) : undefined
  const told = { verdict, ...strings(first, expected, tableOf(first)) }

  if (verdict.ok) return { ...told, mistakes: [], tried: search.tried }
  if (verdict.claims) {
    const address = verdict.reason === 'wrong_ip' ? await addressThatFits(scheme, request, verifyOptions, base) : undefined
    const now = presentTime(options.now)
    const mistake = explainRefusal(verdict.reason, { claims: verdict.claims, attempt: base, now, address })
    return { ...told, mistakes: [mistake], tried: search.tried }
  }

  for (const attempt of attempts) {
    const found = await search.find(attempt, rulesFor(tableOf(attempt), make, attempt))
    // With no mistake the signature is good, and it is the URL that cannot be read.
    if (found && found.mistakes.length > 0) return { ...told, ...signedString(found, expected), mistakes: found.mistakes, tried: search.tried }
  }
  return { ...told, mistakes: await plainMistakes(first, verdict, expected, tableOf(first)), tried: search.tried }
}

function attemptOf(scheme: Scheme, request: Visited, options: VerifyOptions): Attempt {
  const { url, method, ip, headers } = visitOf(request, options)
  // Encoders throw for half a surrogate pair, and no client sends one.
  return { scheme, url: url.replace(/\p{Surrogate}/gu, '\ufffd'), method, ip, headers: Object.fromEntries(headers ?? []) }
}

/** An attempt for each member of `anyOf`, first those that can read the link, then those that find parameters of theirs. */
function membersOf(scheme: Scheme, base: Attempt): readonly Attempt[] {
  const place = (member: Scheme): number => {
    const reading = member.read(base.url, (name) => base.headers[name])
    return isReading(reading) ? 0 : reading === 'unsigned' ? 2 : 1
  }
  const members = scheme.schemes ?? [scheme]
  return members
    .map((member) => ({ ...base, scheme: member, at: place(member) }))
    .sort((a, b) => a.at - b.at)
    .map(({ at: _, ...attempt }) => attempt)
}

/** The rules for a scheme. Those of its table come first, because they are the likeliest. */
function rulesFor(table: Table | undefined, make: Make | undefined, attempt: Attempt): readonly Rule[] {
  const options = make ? [optionsRule(table, make, attempt.scheme.name)] : []
  const own = table?.rules ?? []
  const codes = new Set(own.map(({ code, kind }) => `${code} ${kind}`))
  const others = [...LINK_RULES, ...REQUEST_RULES, ...SECRET_RULES, ...TEXT_RULES, ...HASH_RULES]
  return [...options, ...own, ...others.filter(({ code, kind }) => !codes.has(`${code} ${kind}`))]
}

/** Other options for the factory: those of the table, and each that the caller passed left out. */
function optionsRule(table: Table | undefined, [factory, keys, options = {}]: Make, name: string): Rule {
  return {
    code: 'option',
    kind: 'options',
    rarity: 1,
    sentence: (what) => `Signer and verifier have different options: the link was signed with ${what}.`,
    remedy: 'Create the scheme with the same options on both sides.',
    variants(attempt): readonly Variant[] {
      const given = Object.keys(options).map((option) => ({ option, value: undefined }))
      const changes = [...(table?.options?.(attempt, options as Record<string, unknown>) ?? []), ...given]
      return changes.flatMap(({ option, value }) => {
        const { [option]: _, ...others } = options as Record<string, unknown>
        const changed = value === undefined ? others : { ...others, [option]: value }
        const scheme = madeWith(factory, keys, changed)
        const what = value === undefined ? `the default of ${option}` : `${option}: ${JSON.stringify(value)}`
        return scheme?.name === name ? [{ what, patch: { scheme } }] : []
      })
    },
  }
}

function madeWith(factory: Make[0], keys: unknown, options: object): Scheme | undefined {
  try {
    return factory(keys as never, options as never)
  } catch {
    // The options do not go together.
    return undefined
  }
}

function strings(attempt: Attempt, expected: Expected | undefined, table: Table | undefined): Partial<Explanation> {
  if (!expected) return {}
  const canonicalRequest = table?.canonicalRequest?.(attempt)
  return {
    stringToSign: shown(expected.text),
    ...(canonicalRequest !== undefined && { canonicalRequest }),
    ...(expected.signature !== undefined && { expected: expected.signature }),
  }
}

function signedString({ text }: Found, expected: Expected | undefined): Partial<Explanation> {
  return text === expected?.text ? {} : { signed: shown(text) }
}

/** An address in the headers that the link would open for. */
async function addressThatFits(scheme: Scheme, request: Visited, options: VerifyOptions, { headers }: Attempt): Promise<string | undefined> {
  const named = ['x-forwarded-for', 'x-real-ip', 'cf-connecting-ip', 'true-client-ip'].flatMap((name) => headers[name]?.split(',') ?? [])
  for (const ip of named.map((address) => address.trim()).slice(0, 20)) {
    const { reason } = await verify(scheme, request, { ...options, ip })
    if (reason !== 'wrong_ip') return ip
  }
  return undefined
}

/** Mistakes that are plain to see, for a link whose signature no known mistake has made. */
async function plainMistakes(attempt: Attempt, verdict: Refused, expected: Expected | undefined, table: Table | undefined): Promise<readonly Mistake[]> {
  const { scheme, url, headers } = attempt
  if (verdict.reason === 'unsigned') return [explainUnsigned(url, scheme)]
  if (verdict.reason === 'malformed') return [explainMalformed(url, scheme, table, verdict)]
  const reading = scheme.read(url, (name) => headers[name])
  if (!isReading(reading)) return []
  if (verdict.reason === 'unknown_key') return [explainUnknownKey(reading.claims.keyId, (await scheme.keys(reading.claims.keyId)) as readonly SecretKey[])]
  const obstacle = expected ? undefined : table?.obstacle?.(attempt, reading)
  return obstacle ? [obstacle] : []
}
