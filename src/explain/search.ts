// The search: each mistake alone, then two together, the likeliest first, until a signature matches or the bound is reached.
import { compute, matches, readyKey, spell } from '../core/crypto.ts'
import { isBytes, isCryptoKey, type SecretKey } from '../core/keys.ts'
import type { Algorithm, Message, Reading, Scheme } from '../core/scheme.ts'
import { type Attempt, messageOf, patched, SECRET_MARK, textOf } from './attempt.ts'
import type { Mistake } from './mistake.ts'
import { type Read, readLink, visitFor } from './read.ts'
import { type Rule, type Variant, worded } from './rule.ts'
import { compared } from './spelling.ts'

/** The result of a search. */
export interface Found {
  readonly mistakes: readonly Mistake[]
  /** The string that was signed. */
  readonly text: string
}

/** The string to sign and the signature that the verifier expects. */
export interface Expected {
  readonly text: string
  readonly signature: string | undefined
}

/** A rule in one of its ways. */
interface Entry {
  readonly rule: Rule
  readonly which: number
  /** Its change to the link as it came. `undefined`: none, unless another mistake is corrected first. */
  readonly variant: Variant | undefined
}

// The number of HMACs for a derived key, as with Signature Version 4.
const DERIVATION = 4

// How many characters of links a search looks at for each signature that it may compute. Strangers can send links of 16,384 characters, and each
// attempt reads the whole link again. Links of up to 400 characters are searched as far as the bound of signatures allows.
const CHARACTERS = 400

/** Searches for the mistakes that made a signature. */
export class Search {
  /** How many signatures were computed. */
  tried = 0
  readonly #bound: number
  #looked = 0
  // The strings whose signatures are known not to match.
  readonly #known = new Set<string>()
  // Changed keys, so that each is imported once.
  readonly #keys = new Map<string, SecretKey | undefined>()
  readonly #names = new WeakMap<SecretKey, string>()
  #unnamed = 0
  readonly #derived = new Set<string>()
  // Links and strings to sign, by request: most pairs change something else.
  readonly #read = new Map<string, Promise<Read | undefined>>()
  readonly #texts = new Map<string, Promise<readonly string[]>>()
  readonly #schemes: Scheme[] = []
  // Hash functions by name, and the digests and signers of vendors.
  readonly #methods: unknown[] = []

  constructor(bound: number) {
    this.#bound = bound
  }

  /** Finds the mistakes that explain the signature of an attempt. */
  async find(attempt: Attempt, rules: readonly Rule[]): Promise<Found | undefined> {
    const unchanged = await this.#check(attempt, [])
    if (unchanged) return unchanged
    const entries = entriesOf(attempt, rules)
    for (const { rule, variant } of entries) {
      const found = variant && (await this.#check(patched(attempt, variant.patch), [mistakeOf(rule, variant)]))
      if (found) return found
      if (this.#isOver) return undefined
    }
    return this.#findPair(attempt, entries)
  }

  async #findPair(attempt: Attempt, entries: readonly Entry[]): Promise<Found | undefined> {
    // The variants of the second rules, for the attempts that the first ones made.
    const onTop = new Map<Entry, Map<Rule, readonly Variant[]>>()
    for (const [first, second] of pairsOf(entries, this.#bound)) {
      const { rule, variant } = first
      if (!variant) continue
      const changed = patched(attempt, variant.patch)
      const known = onTop.get(first) ?? new Map<Rule, readonly Variant[]>()
      onTop.set(first, known)
      const variants = known.get(second.rule) ?? this.#variantsOf(second.rule, changed)
      known.set(second.rule, variants)
      const other = variants[second.which]
      if (!other) continue
      const found = await this.#check(patched(changed, other.patch), [mistakeOf(rule, variant), mistakeOf(second.rule, other)])
      if (found) return found
      if (this.#isOver) return undefined
    }
    return undefined
  }

  /** Has the search computed as many signatures, or looked at as many characters, as it may? */
  get #isOver(): boolean {
    return this.tried >= this.#bound || this.#looked >= this.#bound * CHARACTERS
  }

  #variantsOf(rule: Rule, attempt: Attempt): readonly Variant[] {
    this.#looked += attempt.url.length
    return rule.variants(attempt)
  }

  /** The string and signature that the verifier expects, for the first key that may have signed. */
  async expected(attempt: Attempt): Promise<Expected | undefined> {
    const read = await this.#readLink(attempt)
    if (!read) return undefined
    for (const key of await this.#candidates(attempt, read.reading)) {
      for (const text of await this.#textsOf(attempt, read.reading, key)) {
        const algorithm = read.reading.algorithm ?? attempt.scheme.algorithm
        const ready = await readyKey((await read.reading.key?.(key)) ?? key, algorithm)
        this.tried++
        return { text, signature: canSign(key, algorithm) ? spell(await compute(ready, algorithm, messageOf(text)), algorithm) : undefined }
      }
    }
    return undefined
  }

  /** Compares the signature of an attempt with the one that came. */
  async #check(attempt: Attempt, mistakes: readonly Mistake[]): Promise<Found | undefined> {
    this.#looked += attempt.url.length
    const read = await this.#readLink(attempt)
    if (!read || read.received === '') return undefined
    for (const candidate of await this.#candidates(attempt, read.reading)) {
      const key = await this.#changedKey(attempt, candidate)
      if (!key) continue
      for (const text of await this.#textsOf(attempt, read.reading, key)) {
        const found = this.tried < this.#bound && (await this.#compare(attempt, read.reading, read.received, key, text))
        if (found) return { text, mistakes: found === true ? mistakes : [...mistakes, found] }
      }
    }
    return undefined
  }

  async #compare(attempt: Attempt, reading: Reading, received: string, key: SecretKey, text: string): Promise<ReturnType<typeof compared>> {
    const algorithm = attempt.algorithm ?? reading.algorithm ?? attempt.scheme.algorithm
    const name = this.#nameOf(key)
    const kind = `${this.#algorithmName(algorithm)} ${attempt.swapped} ${attempt.derive ? (attempt.rekeyed ?? text) : ''}`
    const memory = `${name}\n${kind}\n${received}\n${text}`
    if (this.#known.has(memory)) return undefined
    this.#known.add(memory)
    try {
      const usable = attempt.swapped ? undefined : await this.#signingKey(attempt, reading, key, name)
      this.tried++
      if (attempt.swapped) return await compareSwapped(key, algorithm, text, received)
      return await compareWith(usable as SecretKey, algorithm, text, received)
    } catch {
      // A key that this algorithm cannot use, such as a CryptoKey for another hash.
      return undefined
    }
  }

  async #signingKey(attempt: Attempt, reading: Reading, key: SecretKey, name: string): Promise<SecretKey> {
    const derive = attempt.derive ?? reading.key
    if (!derive) return key
    if (!this.#derived.has(name) || attempt.derive) this.tried += DERIVATION
    this.#derived.add(name)
    return derive(key)
  }

  #readLink(attempt: Attempt): Promise<Read | undefined> {
    return remembered(this.#read, this.#requestOf(attempt), () => readLink(attempt))
  }

  /** The strings to sign of an attempt. None if the scheme has none, or if the attempt cannot change it. */
  async #textsOf(attempt: Attempt, reading: Reading, key: SecretKey): Promise<readonly string[]> {
    const { rewrite } = attempt
    const texts = await remembered(this.#texts, `${key.id} ${this.#requestOf(attempt)}`, () => textsOf(attempt, reading, key))
    if (!rewrite) return texts
    const changed = await Promise.all(texts.map((text) => rewrite(text, attempt)))
    return changed.filter((text) => text !== undefined)
  }

  /** Tells requests apart. */
  #requestOf({ scheme, url, method, ip, headers }: Attempt): string {
    if (!this.#schemes.includes(scheme)) this.#schemes.push(scheme)
    return JSON.stringify([this.#schemes.indexOf(scheme), url, method, ip, headers])
  }

  /** The keys that may have signed; with `otherKeys`, those that the link does not name. */
  async #candidates({ scheme, otherKeys = false }: Attempt, { claims, signedBy }: Reading): Promise<readonly SecretKey[]> {
    const { keyId } = claims
    const keys = await scheme.keys(keyId)
    return keys.filter((key) => (signedBy ? signedBy(key) : !keyId || key.id === keyId) !== otherKeys)
  }

  async #changedKey({ rekey, rekeyed = '' }: Attempt, key: SecretKey): Promise<SecretKey | undefined> {
    if (!rekey) return key
    const name = `${this.#nameOf(key)} ${rekeyed}`
    if (!this.#keys.has(name)) this.#keys.set(name, await rekey(key))
    return this.#keys.get(name)
  }

  /** Two algorithms that sign and write alike get the same name. */
  #algorithmName(algorithm: Algorithm): string {
    const { encoding, bytes } = algorithm
    const method = 'hmac' in algorithm ? algorithm.hmac : 'digest' in algorithm ? algorithm.digest : algorithm.signer
    if (!this.#methods.includes(method)) this.#methods.push(method)
    return `${this.#methods.indexOf(method)} ${encoding} ${bytes}`
  }

  /** Two keys with the same secret get the same name. */
  #nameOf(key: SecretKey): string {
    const known = this.#names.get(key)
    if (known) return known
    const { secret } = key
    const isText = typeof secret === 'string'
    const name = isText ? `text ${secret}` : isBytes(secret) ? `bytes ${secret.join()}` : `key ${this.#unnamed++}`
    this.#names.set(key, name)
    return name
  }
}

/** Can a signature be computed, to compare it? A public key cannot, and a private key elsewhere, such as in a KMS, should not be called. */
function canSign({ secret }: SecretKey, algorithm: Algorithm): boolean {
  return !('signer' in algorithm) && (!isCryptoKey(secret) || secret.usages.includes('sign'))
}

async function compareWith(key: SecretKey, algorithm: Algorithm, text: string, received: string): Promise<ReturnType<typeof compared>> {
  const ready = await readyKey(key, algorithm)
  const message: Message = messageOf(text)
  if (!canSign(key, algorithm)) return (await matches(ready, algorithm, message, received)) || undefined
  const computed = await compute('hmac' in algorithm ? ready : key, algorithm, message)
  return compared(received, spell(computed, algorithm), algorithm)
}

/** With the string as the key, and the secret as the message. */
async function compareSwapped(
  { secret }: SecretKey,
  algorithm: Algorithm,
  text: string,
  received: string,
): Promise<ReturnType<typeof compared>> {
  if ((typeof secret !== 'string' && !isBytes(secret)) || text.includes(SECRET_MARK)) return undefined
  const message = typeof secret === 'string' ? secret : new Uint8Array(secret)
  const computed = await compute(await readyKey({ secret: text }, algorithm), algorithm, message)
  return compared(received, spell(computed, algorithm), algorithm)
}

async function textsOf(attempt: Attempt, reading: Reading, key: SecretKey): Promise<readonly string[]> {
  const messages = await reading.toSign(visitFor(attempt), key)
  const all = Array.isArray(messages) ? (messages as readonly Message[]) : messages === undefined ? [] : [messages as Message]
  return all.map(textOf)
}

function remembered<T>(memory: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const known = memory.get(name) ?? make()
  memory.set(name, known)
  return known
}

/** All rules in all of their ways, the likeliest first. */
function entriesOf(attempt: Attempt, rules: readonly Rule[]): readonly Entry[] {
  const entries = rules.flatMap((rule) => {
    const variants = rule.variants(attempt)
    // A rule that cannot apply now may apply when another mistake is corrected.
    const count = Math.max(variants.length, 2)
    return Array.from({ length: count }, (_, which) => ({ rule, which, variant: variants[which], rank: (rule.rarity ?? 2) * 10 + which }))
  })
  return entries.sort((a, b) => a.rank - b.rank)
}

/** Pairs of entries, ordered by the product of their places: a likely mistake meets rare ones before two rare ones meet. */
function pairsOf(entries: readonly Entry[], most: number): readonly (readonly [Entry, Entry])[] {
  const pairs: { readonly pair: readonly [Entry, Entry]; readonly rank: number }[] = []
  for (const [i, first] of entries.entries()) {
    for (const [j, second] of entries.slice(0, Math.ceil(most / (i + 1))).entries()) {
      // Corrections of the link come first, because the others look at it.
      const isInOrder = ORDER.indexOf(first.rule.kind) <= ORDER.indexOf(second.rule.kind)
      if (i !== j && isInOrder && !excludes(first.rule, second.rule)) pairs.push({ pair: [first, second], rank: (i + 1) * (j + 1) })
    }
  }
  return pairs.sort((a, b) => a.rank - b.rank).map(({ pair }) => pair)
}

const ORDER: readonly Rule['kind'][] = ['options', 'link', 'request', 'text', 'hash', 'secret']

function excludes(a: Rule, b: Rule): boolean {
  return a.code === b.code || (a.kind === b.kind && a.kind !== 'link' && a.kind !== 'request')
}

function mistakeOf({ code, sentence, remedy }: Rule, { what, line }: Variant): Mistake {
  return { code, sentence: worded(sentence, what), remedy: worded(remedy, what), ...(line !== undefined && { line }) }
}
