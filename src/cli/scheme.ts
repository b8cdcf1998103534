// Which scheme, with which keys: keys come from the environment or a file, never from arguments, which every process list shows.
/// <reference types="node" />
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { SecretKey } from '../core/keys.ts'
import type { Scheme } from '../core/scheme.ts'
import type { Io } from './main.ts'
import { json, Misuse, type Options, type Values } from './options.ts'

/** The options of every verb that takes a scheme. */
export const SCHEME: Options = { scheme: { type: 'string' }, options: { type: 'string' } }

/** Those of the verbs that need keys, too. */
export const KEYED: Options = { ...SCHEME, keys: { type: 'string' } }

/** `SECURELINK_KEYS`, or the file of `--keys`: JSON, or `id:secret` with spaces, commas or line breaks between them, newest first. */
export async function keysOf(values: Values, io: Io): Promise<readonly SecretKey[]> {
  const text = await textOf(values, io)
  if (/^[[{]/.test(text)) return ringOf(json(text, NO_JSON))
  return text.split(/[\s,]+/).map((entry) => {
    const colon = entry.indexOf(':')
    return colon < 0 ? { secret: entry } : { id: entry.slice(0, colon), secret: entry.slice(colon + 1) }
  })
}

const NO_JSON = 'the keys are not JSON, although they begin as it does'

async function textOf(values: Values, { env }: Io): Promise<string> {
  const file = values['keys'] as string | undefined
  const text = (file === undefined ? (env['SECURELINK_KEYS'] ?? '') : await read(file)).trim()
  if (!text) throw new Misuse('it needs keys: set SECURELINK_KEYS, or name a file with --keys; securelink keygen makes one')
  return text
}

/** Keys as JSON has them, one or a list. */
function ringOf(value: unknown): readonly SecretKey[] {
  const list = [value].flat() as Record<string, unknown>[]
  if (!list.every(isObject)) throw new Misuse('a key in JSON is an object such as {"id":"2026-11","secret":"…"}')
  return list.map(({ starts, expires, ...key }) => ({
    ...(key as unknown as SecretKey),
    ...(starts !== undefined && { starts: new Date(`${starts}`) }),
    ...(expires !== undefined && { expires: new Date(`${expires}`) }),
  }))
}

function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
    throw new Misuse(`the file of --keys cannot be read (${code})`)
  })
}

/** The folder of the schemes. It is the list: a file in it is a name for `--scheme`. */
const folder = () => new URL('../schemes/', import.meta.url)

/** Names for `--scheme`. */
export function schemeNames(): readonly string[] {
  const files = readdirSync(folder()).filter((file) => /^[a-z\d-]+\.(js|ts)$/.test(file))
  return files.map((file) => file.replace(/\..*/, '')).sort()
}

/** The factory of a scheme: the export that is named as the file is, in camel case. Loaded when asked for, because most runs need one. */
async function factoryOf(name: string): Promise<Factory | undefined> {
  if (!schemeNames().includes(name)) return undefined
  const file = new URL(`${name}${import.meta.url.slice(-'.ts'.length)}`, folder())
  const exported = (await import(file.href)) as Record<string, Factory>
  return exported[name.replace(/-./g, (dash) => dash.slice(1).toUpperCase())]
}

type Factory = (keys: readonly SecretKey[], options: object) => Scheme

/** Makes the scheme of `--scheme` with its `--options`. */
export async function schemeOf(values: Values, keys: readonly SecretKey[]): Promise<Scheme> {
  return make(`${values['scheme'] ?? 'hmac'}`, keys, optionsOf(values))
}

/**
 * The schemes of a `--scheme` that may be repeated, each by its name or, as in `files=hmac`, by one of its own. Where there are several, keys and
 * `--options` are JSON objects with a member for each.
 */
export async function schemesOf(values: Values, io: Io): Promise<Readonly<Record<string, Scheme>>> {
  const wanted = ((values['scheme'] ?? ['hmac']) as readonly string[]).map((given) => {
    const [, name = '', kind = name] = /^([^=]*)(?:=(.*))?$/s.exec(given) ?? []
    return { name, kind }
  })
  const names = wanted.map(({ name }) => name)
  if (new Set(names).size < names.length)
    throw new Misuse('--scheme is there twice by the same name; --scheme files=hmac gives it another one')
  const [only, second] = wanted as [{ name: string; kind: string }, unknown]
  if (!second) return { [only.name]: await make(only.kind, await keysOf(values, io), optionsOf(values)) }
  const several = `with several schemes, the keys are a JSON object with a member for each: {"${names.join('":…,"')}":…}`
  const keys = json(await textOf(values, io), several)
  const options = optionsOf(values) as Record<string, object>
  if (!Object.entries(options).every(([name, own]) => names.includes(name) && isObject(own)))
    throw new Misuse(`with several schemes, --options is a JSON object of such by name: {"${names[0]}":{…}}`)
  const made = wanted.map(async ({ name, kind }) => {
    if (!isObject(keys) || !Object.hasOwn(keys, name)) throw new Misuse(several)
    return [name, await make(kind, ringOf((keys as Record<string, unknown>)[name]), options[name] ?? {})] as const
  })
  return Object.fromEntries(await Promise.all(made))
}

function optionsOf(values: Values): object {
  const wanted = `--options takes a JSON object, such as '{"purpose":"unsubscribe"}'`
  const options = json(`${values['options'] ?? '{}'}`, wanted)
  if (!isObject(options)) throw new Misuse(wanted)
  return options
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

async function make(name: string, keys: readonly SecretKey[], options: object): Promise<Scheme> {
  const factory = await factoryOf(name)
  if (!factory) throw new Misuse(`--scheme must be one of ${schemeNames().join(', ')}`)
  if (name === 'nginx' && keys.some(({ secret }) => secret === 'MySecret'))
    throw new Misuse('MySecret is the secret that the Python SecureLink has by default, so everybody knows it; take one of your own')
  return factory(keys, options)
}
