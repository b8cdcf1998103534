// keygen: makes a key, as text or as JSON.
/// <reference types="node" />
import { BASE64URL, encode } from '../lib/encoding.ts'
import type { Io } from './io.ts'
import { Misuse, parse, TEXT } from './options.ts'

/** Writes a key of 32 random bytes: as `id:secret`, or as the JSON list that schemes, SECURELINK_KEYS and NGINX accept. */
export async function keygen(args: readonly string[], { stdout }: Io): Promise<number> {
  const { values, rest } = parse(args, { id: TEXT, json: { type: 'boolean' } })
  if (rest.length > 0) throw new Misuse('keygen takes no arguments')
  const id = `${values['id'] ?? new Date().toISOString().slice(0, 7)}`
  if (!/^[\w.-]+$/.test(id)) throw new Misuse(`--id must be letters, digits, '.', '_' and '-'`)
  const secret = encode(crypto.getRandomValues(new Uint8Array(32)), BASE64URL)
  stdout.write(values['json'] ? `${JSON.stringify([{ id, secret }])}\n` : `${id}:${secret}\n`)
  return 0
}
