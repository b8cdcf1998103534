// Which scheme, with which keys: keys come from the environment or a file, never from arguments, which every process list shows.
/// <reference types="node" />
import { readFile } from 'node:fs/promises'
import type { SecretKey } from '../keys.ts'
import type { Scheme } from '../scheme.ts'
import type { Io } from './main.ts'
import { json, Misuse, type Options, type Values } from './options.ts'

/** The options of every verb that takes a scheme. */
export const SCHEME: Options = { scheme: { type: 'string' }, options: { type: 'string' } }

/** Those of the verbs that need keys, too. */
export const KEYED: Options = { ...SCHEME, keys: { type: 'string' } }

/** `SECURELINK_KEYS`, or the file of `--keys`: JSON, or `id:secret` with spaces, commas or line breaks between them, newest first. */
export async function keysOf(values: Values, { env }: Io): Promise<readonly SecretKey[]> {
  const file = values['keys'] as string | undefined
  const text = (file === undefined ? (env['SECURELINK_KEYS'] ?? '') : await read(file)).trim()
  if (!text) throw new Misuse('it needs keys: set SECURELINK_KEYS, or name a file with --keys; securelink keygen makes one')
  if (!/^[[{]/.test(text))
    return text.split(/[\s,]+/).map((entry) => {
      const colon = entry.indexOf(':')
      return colon < 0 ? { secret: entry } : { id: entry.slice(0, colon), secret: entry.slice(colon + 1) }
    })
  const list = [json(text, 'the keys are not JSON, although they begin as it does')].flat()
  return (list as Record<string, unknown>[]).map(({ starts, expires, ...key }) => ({
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

// Loaded when asked for: most runs need one. A test holds the list to the folder.
const FACTORIES: Readonly<Record<string, () => Promise<unknown>>> = {
  azure: async () => (await import('../schemes/azure.ts')).azure,
  gcs: async () => (await import('../schemes/gcs.ts')).gcs,
  hmac: async () => (await import('../schemes/hmac.ts')).hmac,
  nginx: async () => (await import('../schemes/nginx.ts')).nginx,
  'nginx-hmac': async () => (await import('../schemes/nginx-hmac.ts')).nginxHmac,
  pichax: async () => (await import('../schemes/pichax.ts')).pichax,
  s3: async () => (await import('../schemes/s3.ts')).s3,
}

/** Names for `--scheme`. */
export const SCHEMES: readonly string[] = Object.keys(FACTORIES)

/** Makes the scheme of `--scheme` with its `--options`. */
export async function schemeOf(values: Values, keys: readonly SecretKey[]): Promise<Scheme> {
  const name = `${values['scheme'] ?? 'hmac'}`
  const options = json(`${values['options'] ?? '{}'}`, `--options takes JSON, such as '{"purpose":"unsubscribe"}'`) as object
  const factory = Object.hasOwn(FACTORIES, name) ? FACTORIES[name] : undefined
  if (!factory) throw new Misuse(`there is no scheme '${name.slice(0, 40)}': it is one of ${SCHEMES.join(', ')}`)
  const make = (await factory()) as (keys: readonly SecretKey[], options: object) => Scheme
  return make(keys, options)
}
