// signIn: signs the URLs in a JSON value, such as the answer of an API.
import { climbs } from '../lib/climbs.ts'
import { hasDotSegment } from '../lib/request-target.ts'
import { split } from '../lib/url.ts'
import type { Condition, Conditions, Expiry } from './conditions.ts'
import { assertOption } from './errors.ts'
import { inspect } from './inspect.ts'
import type { Scheme } from './scheme.ts'
import type { SignOptions } from './sign.ts'
import { signEach } from './sign-all.ts'

/** The place of a string in a value: `['items', 3, 'src']`. */
export type JsonPath = readonly (string | number)[]

/** Which strings of a value are to be signed. */
export interface Match {
  /**
   * The strings to sign: the beginning of their URLs up to a slash, such as `'https://cdn.example/'` or `'/media/'`, several of these, or a function.
   * URLs with an escaped `..` segment, such as `..%2F` or `..%252F`, are not among them.
   */
  readonly match: string | readonly string[] | ((text: string, path: JsonPath) => boolean)
}

// A value with more levels contains itself, or is an attack on the stack.
const MOST_LEVELS = 1000

/** Lists and objects alike. */
type Holder = Record<string | number, unknown>

/** A string to sign, and where its link goes. */
interface Place {
  readonly holder: Holder
  readonly key: string | number
  readonly path: JsonPath
  readonly text: string
}

/**
 * Signs the strings of a JSON value that match, in lists and objects of any depth. A string that is a link of the scheme already gets a new one, so a
 * stored answer can be renewed. All links count their durations from the same second.
 *
 * The caller decides with `match` which URLs get a link. If users can write text into the value, match by the path too, because every URL that
 * they write there is signed.
 *
 * @param scheme - As for `sign`. With `anyOf`, links of all its schemes are renewed, and the first scheme signs.
 * @param value - A value of strings, numbers, booleans, `null`, lists and plain objects. It is not changed. Other objects stay as they are.
 * @param conditions - As for `sign`, and `match`.
 * @param options - As for `sign`.
 * @returns A copy of the value, with links.
 * @throws What `sign` throws, for the first URL that cannot become a link; the message names it: "value.items[3].src must be …". `bad_option` for a
 *   wrong `match` and for a value of more than 1,000 levels.
 *
 * @example
 * ```ts
 * import { hmac, signIn } from 'securelink'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const album = { title: 'Rome', pictures: [{ src: 'https://cdn.example/1.jpg' }, { src: 'https://cdn.example/2.jpg' }] }
 * const signed = await signIn(links, album, { match: 'https://cdn.example/', expires: '1h' })
 * console.log(signed.pictures[0]?.src.startsWith('https://cdn.example/1.jpg?expires=')) // true
 * ```
 */
export async function signIn<T, C extends Condition, Own extends object, E extends Expiry>(
  scheme: Scheme<C, Own, E>,
  value: T,
  conditions: Match & Conditions<NoInfer<C>, NoInfer<E>> & NoInfer<Own>,
  options: SignOptions = {},
): Promise<T> {
  assertOption(
    typeof conditions === 'object' && conditions !== null,
    'conditions',
    "an object such as { match: 'https://cdn.example/', expires: '10m' }",
  )
  const { match, ...asked } = conditions
  const matches = matcherOf(match)
  const places: Place[] = []
  const root: Holder = {}
  copyInto(root, 'value', value, [], (place) => {
    if (matches(place.text, place.path)) places.push(place)
  })
  const urls = places.map(({ text }) => unsigned(scheme as Scheme, text))
  const nameOf = (i: number) => nameOfPath((places[i] as Place).path)
  const links = await signEach(scheme, urls, asked as unknown as Conditions<C, E> & Own, options, nameOf)
  for (const [i, { holder, key }] of places.entries()) set(holder, key, links[i])
  return root['value'] as T
}

/** Copies lists and plain objects, and reports every string. */
function copyInto(holder: Holder, key: string | number, value: unknown, path: JsonPath, onText: (place: Place) => void): void {
  assertOption(path.length <= MOST_LEVELS, 'value', `JSON of at most ${MOST_LEVELS} levels`)
  if (typeof value === 'string') onText({ holder, key, path, text: value })
  const isList = Array.isArray(value)
  if (!isList && !isPlainObject(value)) {
    set(holder, key, value)
    return
  }
  const copy = (isList ? [] : {}) as Holder
  set(holder, key, copy)
  // The keys of a list are its indices, as texts.
  for (const name of Object.keys(value)) {
    const place = isList ? Number(name) : name
    copyInto(copy, place, (value as Holder)[place], [...path, place], onText)
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  // Also from another realm, where the prototype is another object.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Not by assignment: under the name `__proto__`, which JSON may have, it would change the prototype. */
function set(holder: Holder, key: string | number, value: unknown): void {
  Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true })
}

const PREFIX = /^([a-z][a-z\d+.-]*:\/\/[^/?#\\@\s]+)?\//i

function matcherOf(match: Match['match']): (text: string, path: JsonPath) => boolean {
  if (typeof match === 'function') return match
  const prefixes: readonly unknown[] = Array.isArray(match) ? match : [match]
  // Without the slash, https://cdn.example would match https://cdn.example.org, too.
  const good = prefixes.length > 0 && prefixes.every((prefix) => typeof prefix === 'string' && PREFIX.test(prefix))
  assertOption(good, 'match', "the beginning of URLs up to a slash, such as 'https://cdn.example/', a list of these, or a function")
  // A host follows two slashes.
  return (text) => !text.startsWith('//') && prefixes.some((prefix) => text.startsWith(prefix as string)) && !leavesFolder(text)
}

/**
 * Does a server that decodes `%2F` or `%5C` first, or decodes twice, find a `..` in this URL? Then `/media/..%2Fkeys.txt` begins with `/media/`, and NGINX
 * serves `/keys.txt`. Plain dot segments are left to `sign`, whose error names them.
 */
function leavesFolder(text: string): boolean {
  const { path } = split(text)
  return !hasDotSegment(path) && climbs(path)
}

/** The URL of a link, without the link's parameters; other URLs as they are. */
function unsigned(scheme: Scheme, url: string): string {
  const resource = inspect(scheme, url)?.unverified.resource
  return resource === undefined ? url : resource + url.replace(/^[^#]*/, '')
}

/** `value.items[3].src`, or `value["a b"]`. */
function nameOfPath(path: JsonPath): string {
  const names = path.map((key) => (typeof key === 'string' && /^[a-z_$][\w$]*$/i.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`))
  return `value${names.join('')}`
}
