// explain: finds out why a link is refused, and which mistake would have made exactly its signature.
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import { assertScheme, type Scheme } from '../core/scheme.ts'
import { presentTime } from '../core/time.ts'
import type { Refused, Verdict } from '../core/verdict.ts'
import { VERIFY_OPTIONS, type VerifyOptions, type Visited, verify, visitOf } from '../core/verify.ts'
import { LONGEST } from '../lib/url.ts'
import { addressesNamed, addressesWithin } from './addresses.ts'
import { type Attempt, shown } from './attempt.ts'
import type { Mistake } from './mistake.ts'
import { isReading } from './read.ts'
import type { Make } from './rules/all.ts'
import { type Expected, type Found, Search } from './search.ts'
import type { Table } from './table.ts'
import { tableOf } from './tables/all.ts'

/** Options of {@link explain}. */
export interface ExplainOptions extends VerifyOptions {
  /** The factory of the scheme, its keys and its options, so that other options are tried as well: `[hmac, keys, { origin: true }]`. */
  readonly make?: Make
  /**
   * How many signatures are computed at most. Default: 5,000, which takes about a second. A link of more than 400 characters gets fewer, in
   * proportion to its length, so that strangers cannot make a search longer with a long link.
   */
  readonly bound?: number
  /** Tables of mistakes for schemes of your own. They come on top of those of the package. Default: none. */
  readonly tables?: readonly Table[]
}

/** The answer of {@link explain}. */
export interface Explanation {
  /** The answer of `verify`. */
  readonly verdict: Verdict
  /** The string to sign of the verifier, with `<secret>` in place of a secret. Missing if the link cannot be read. */
  readonly stringToSign?: string
  /** The request in canonical form, for schemes that sign its hash. */
  readonly canonicalRequest?: string
  /** The signature that the verifier expects. **It is a valid signature**: show it to people who hold the key, and to nobody else. */
  readonly expected?: string
  /** The string that was signed, if the mistake is found and the string is another one. */
  readonly signed?: string
  /**
   * The mistake that explains the refusal, or the two that do so together. Empty if none is found. For a valid link: why the vendor refuses it
   * nevertheless, if it does so.
   */
  readonly mistakes: readonly Mistake[]
  /** How many signatures were computed. */
  readonly tried: number
}

const OPTIONS = [...VERIFY_OPTIONS, 'make', 'bound', 'tables'] as const

/**
 * Tells why a link is refused. It takes the arguments of `verify`, and answers with the verdict, the string to sign, the expected signature, and
 * the mistake that would have made exactly the signature of the link: a line break after the secret, another region, a path that was signed
 * decoded. Each mistake is tried alone and then together with others, the likely ones first.
 *
 * A mistake is named only if its signature is that of the link, or if it is obvious, such as a missing parameter. An empty list means that
 * none of the known mistakes made this signature; it may be forged. For a valid link, it tells what makes the vendor refuse the request, such as a
 * second credential in a header.
 *
 * **The answer holds a valid signature** in `expected`. It is for terminals and logs of people who hold the key. Never answer a request with it.
 * The texts of `mistakes` hold no secret and no signature.
 *
 * @param scheme - The scheme and keys of the verifier.
 * @param request - The link as it arrived, or the `Request`.
 * @param options - Those of `verify`, and `make`, `bound` and `tables`.
 * @returns The verdict, the strings to sign, and the mistakes that were found. It contains a valid signature, so show it only to people who have the key.
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
  assertOption(
    make === undefined || (Array.isArray(make) && typeof make[0] === 'function'),
    'make',
    'a list of a factory, its keys and its options',
  )
  assertOption(Array.isArray(tables), 'tables', 'a list of tables')

  const verdict = await verify(scheme, request, verifyOptions)
  const base = attemptOf(scheme, request, verifyOptions)
  if (base.url.length > LONGEST) {
    const { explainMalformed } = await import('./unread.ts')
    return { verdict, mistakes: [explainMalformed(base, undefined, verdict as Refused, false)], tried: 0 }
  }

  const search = new Search(bound)
  const attempts = membersOf(scheme, base)
  const first = attempts[0] as Attempt
  const table = await tableOf(first.scheme.name, tables)
  const expected = bound > 0 ? await search.expected(first) : undefined
  const told = { verdict, ...strings(first, expected, table) }
  if (verdict.ok) return { ...told, mistakes: table?.warnings?.(first) ?? [], tried: search.tried }
  if (verdict.claims) {
    const { explainRefusal } = await import('./refused.ts')
    const address = verdict.reason === 'wrong_ip' ? await addressThatFits(scheme, request, verifyOptions, base) : undefined
    const mistake =
      table?.refused?.(verdict.reason, verdict.claims, first) ??
      explainRefusal(verdict.reason, { claims: verdict.claims, attempt: base, now: presentTime(options.now), address })
    return { ...told, mistakes: [mistake], tried: search.tried }
  }

  const { rulesFor } = await import('./rules/all.ts')
  let isRight = false
  for (const attempt of attempts) {
    const { name } = attempt.scheme
    const found = await search.find(attempt, rulesFor(await tableOf(name, tables), make, name))
    // Without a mistake the signature is right, and the URL is what cannot be read.
    isRight ||= found?.mistakes.length === 0
    if (found && found.mistakes.length > 0)
      return { ...told, ...signedString(found, expected), mistakes: found.mistakes, tried: search.tried }
  }
  return { ...told, mistakes: await plainMistakes(first, verdict, expected, table, isRight), tried: search.tried }
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

/** An address in the option `ip` or in the headers that the link would open for. */
async function addressThatFits(scheme: Scheme, request: Visited, options: VerifyOptions, attempt: Attempt): Promise<string | undefined> {
  for (const ip of [...addressesWithin(attempt.ip), ...addressesNamed(attempt)]) {
    const { reason } = await verify(scheme, request, { ...options, ip })
    if (reason !== 'wrong_ip') return ip
  }
  return undefined
}

/**
 * Obvious mistakes, for a link whose signature no known mistake has made.
 *
 * @param isRight - The signature is right, and the link cannot be read.
 */
async function plainMistakes(
  attempt: Attempt,
  verdict: Refused,
  expected: Expected | undefined,
  table: Table | undefined,
  isRight: boolean,
): Promise<readonly Mistake[]> {
  const { scheme, url, headers } = attempt
  const { explainMalformed, explainUnsigned, withoutHost } = await import('./unread.ts')
  if (verdict.reason === 'unsigned') return [table?.unsigned?.(attempt) ?? explainUnsigned(url, scheme)]
  if (verdict.reason === 'malformed')
    return [table?.malformed?.(attempt, verdict.parameter) ?? explainMalformed(attempt, table, verdict, isRight)]
  const reading = scheme.read(url, (name) => headers[name])
  if (!isReading(reading)) return []
  const hostless = verdict.reason === 'bad_signature' && withoutHost(attempt)
  if (hostless) return [hostless]
  if (verdict.reason === 'unknown_key') {
    const { explainUnknownKey } = await import('./refused.ts')
    return [explainUnknownKey(reading.claims.keyId, await scheme.keys(reading.claims.keyId))]
  }
  const obstacle = expected ? undefined : table?.obstacle?.(attempt, reading)
  return obstacle ? [obstacle] : []
}
