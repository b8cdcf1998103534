// The scheme of --scheme, with its keys. Keys come from the environment or a file, never from arguments, because process lists show those.
/// <reference types="node" />
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { LinkError } from '../core/errors.ts'
import type { SecretKey } from '../core/keys.ts'
import type { Scheme } from '../core/scheme.ts'
import type { Io } from './io.ts'
import { dateOf, json, Misuse, type Options, type Values } from './options.ts'
import { decoderFor } from './text.ts'

/** The options of every verb that takes a scheme. */
export const SCHEME: Options = { scheme: { type: 'string' }, options: { type: 'string' } }

/** The options of the verbs that need keys, too. */
export const KEYED: Options = { ...SCHEME, keys: { type: 'string' } }

/** The keys of `SECURELINK_KEYS` or of the file of `--keys`. Throws {@link Misuse} if there are none. */
export async function keysOf(values: Values, io: Io): Promise<readonly SecretKey[]> {
  return keysIn(await keyTextOf(values, io))
}

/** The same, or an empty list if there are none. */
export async function optionalKeysOf(values: Values, io: Io): Promise<readonly SecretKey[]> {
  return values['keys'] === undefined && !io.env['SECURELINK_KEYS']?.trim() ? [] : keysOf(values, io)
}

/** Keys in a text: JSON, or `id:secret` with spaces, commas or line breaks between them, newest first. */
function keysIn(text: string): readonly SecretKey[] {
  if (/^[[{]/.test(text)) return keysInJson(json(text, 'the keys must be JSON, because they begin with a bracket'))
  const entries = text.split(/[\s,]+/).filter(Boolean)
  // The quotes would become a part of the id and the secret, and other verifiers, whose keys have none, would refuse the links.
  if ([text, ...entries].some((piece) => /^(["']).*\1$/s.test(piece)))
    throw new Misuse('the keys must have no quotes around them; docker run --env-file, for example, passes quotes on')
  return entries.map((entry) => {
    const colon = entry.indexOf(':')
    return colon < 0 ? { secret: entry } : { id: entry.slice(0, colon), secret: entry.slice(colon + 1) }
  })
}

async function keyTextOf(values: Values, { env }: Io): Promise<string> {
  const file = values['keys'] as string | undefined
  const text = (file === undefined ? (env['SECURELINK_KEYS'] ?? '') : await read(file)).trim()
  if (!text) throw new Misuse('keys must be given: in SECURELINK_KEYS, or in a file that --keys names; securelink keygen makes one')
  return text
}

/** Keys in JSON, one or a list. */
function keysInJson(value: unknown): readonly SecretKey[] {
  const list = [value].flat() as Record<string, unknown>[]
  if (!list.every(isObject)) throw new Misuse('a key in JSON must be an object such as {"id":"2026-11","secret":"…"}')
  return list.map(({ starts, expires, ...key }) => ({
    ...(key as unknown as SecretKey),
    ...datesIn({ starts, expires }),
  }))
}

/** The dates of a key in JSON. Not as the engine reads dates: `2030-1-1` would be another time in each time zone. */
function datesIn(texts: Readonly<Record<'starts' | 'expires', unknown>>): { starts?: Date; expires?: Date } {
  const dates = Object.entries(texts).map(([name, text]) => [name, dateOf(text, `${name} of a key`)])
  return Object.fromEntries(dates.filter(([, date]) => date))
}

async function read(file: string): Promise<string> {
  const bytes = await readFile(file).catch(({ code }: NodeJS.ErrnoException) => {
    throw new Misuse(`--keys must be a file that can be read (${code})`)
  })
  return decoderFor(bytes).decode(bytes)
}

/** The folder of the schemes. Each file in it is a name for `--scheme`. */
const folder = () => new URL('../schemes/', import.meta.url)

/** Names for `--scheme`. */
export function schemeNames(): readonly string[] {
  const files = readdirSync(folder()).filter((file) => /^[a-z\d-]+\.(js|ts)$/.test(file))
  return files.map((file) => file.replace(/\..*/, '')).sort()
}

/** The factory of a scheme: the export with the name of the file in camel case. Loaded on demand, because most runs need only one. */
async function factoryOf(name: string): Promise<Factory | undefined> {
  if (!schemeNames().includes(name)) return undefined
  const file = new URL(`${name}${import.meta.url.slice(-'.ts'.length)}`, folder())
  const exported = (await import(file.href)) as Record<string, Factory>
  return exported[name.replace(/-./g, (dash) => dash.slice(1).toUpperCase())]
}

type Factory = (keys: readonly SecretKey[], options: object) => Scheme

/** Makes the scheme of `--scheme`, or another one, with its `--options`. */
export async function schemeOf(
  values: Values,
  keys: readonly SecretKey[],
  name: string = `${values['scheme'] ?? 'hmac'}`,
): Promise<Scheme> {
  return make(name, keys, optionsOf(values))
}

/** The factory of `--scheme`, and its `--options`. */
export async function makerOf(values: Values): Promise<{ readonly factory: Factory; readonly options: object }> {
  const factory = await factoryOf(`${values['scheme'] ?? 'hmac'}`)
  if (!factory) throw new Misuse(`--scheme must be one of ${schemeNames().join(', ')}`)
  return { factory, options: optionsOf(values) }
}

/**
 * The schemes of a `--scheme` that may be repeated, each by its name or, as in `files=hmac`, by another one. With several, keys and `--options`
 * are JSON objects with a member for each.
 */
export async function schemesOf(values: Values, io: Io): Promise<Readonly<Record<string, Scheme>>> {
  const wanted = ((values['scheme'] ?? ['hmac']) as readonly string[]).map((given) => {
    const [, name = '', kind = name] = /^([^=]*)(?:=(.*))?$/s.exec(given) ?? []
    return { name, kind }
  })
  const names = wanted.map(({ name }) => name)
  if (new Set(names).size < names.length)
    throw new Misuse('--scheme must have distinct names; --scheme files=hmac gives a scheme another one')
  const [only, second] = wanted as [{ name: string; kind: string }, unknown]
  if (!second) return { [only.name]: await make(only.kind, await keysOf(values, io), optionsOf(values)) }
  const several = `with several schemes, the keys must be a JSON object with a member for each: {"${names.join('":…,"')}":…}`
  const keys = json(await keyTextOf(values, io), several)
  const options = optionsOf(values) as Record<string, object>
  if (!Object.entries(options).every(([name, own]) => names.includes(name) && isObject(own)))
    throw new Misuse(`with several schemes, --options must be a JSON object with an object for each: {"${names[0]}":{…}}`)
  const made = wanted.map(async ({ name, kind }) => {
    if (!isObject(keys) || !Object.hasOwn(keys, name)) throw new Misuse(several)
    return [name, await make(kind, keysInJson((keys as Record<string, unknown>)[name]), options[name] ?? {})] as const
  })
  return Object.fromEntries(await Promise.all(made))
}

function optionsOf(values: Values): object {
  const wanted = `--options must be a JSON object, such as '{"purpose":"unsubscribe"}'`
  const options = json(`${values['options'] ?? '{}'}`, wanted)
  if (!isObject(options)) throw new Misuse(wanted)
  return options
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

async function make(name: string, keys: readonly SecretKey[], options: object): Promise<Scheme> {
  const factory = await factoryOf(name)
  if (!factory) throw new Misuse(`--scheme must be one of ${schemeNames().join(', ')}`)
  if (name === 'nginx' && keys.some(({ secret }) => secret === 'MySecret'))
    throw new Misuse('secret must be one of your own: MySecret is the default of the Python SecureLink, so everybody knows it')
  try {
    return factory(keys, options)
  } catch (error) {
    if (error instanceof LinkError && error.code === 'weak_key') throw new Misuse(error.message + weakKeyHint(keys), { cause: error })
    throw error
  }
}

/** A hint for a secret with a colon, which may have been split at it. */
function weakKeyHint(keys: readonly SecretKey[]): string {
  if (keys.every(({ id }) => id === undefined)) return ''
  return '; in id:secret, the id ends at the first colon, and a secret with a colon is written in JSON: {"secret":"…"}'
}
