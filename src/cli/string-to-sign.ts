// stringsToSign: the string that should have been signed, for people who compare two implementations.
/// <reference types="node" />
import { LinkError } from '../core/errors.ts'
import type { SecretKey } from '../core/keys.ts'
import { type Message, type Reading, type Scheme, SECRET, type Visit } from '../core/scheme.ts'
import { networkOf } from '../lib/address.ts'
import type { Io } from './io.ts'
import { Misuse, type Values } from './options.ts'
import { headersOf } from './request.ts'
import { optionalKeysOf, schemeOf } from './scheme.ts'

/** The strings, or why there are none. */
export type Strings = { readonly text: string } | { readonly reason: 'malformed' | 'incomplete'; readonly sentence: string }

/**
 * The strings to sign of a link, with `<secret>` in place of the secret. `scheme` has no keys; those of `--keys` or SECURELINK_KEYS are used where
 * one of them can have signed the link, because the string of some vendors names the account.
 */
export async function stringsToSign(
  link: string,
  scheme: Scheme | undefined,
  names: readonly string[],
  values: Values,
  io: Io,
): Promise<Strings> {
  if (!scheme)
    throw new Misuse(
      `--string-to-sign must be for links of this package; this one is of ${names.join(' or ')}, or needs --scheme and --options`,
    )
  const visit = visitOf(link, values)
  const reading = scheme.read(visit.url, visit.header)
  if (typeof reading === 'string' || 'malformed' in reading)
    return { reason: 'malformed', sentence: 'it cannot be read with the headers that are given' }
  const key = await keyFor(reading, scheme.name, values, io)
  const messages = await reading.toSign(visit, key)
  if (messages === undefined)
    return {
      reason: 'incomplete',
      sentence: 'the string depends on the headers or the address of the request; give them with --header and --ip',
    }
  const strings = (Array.isArray(messages) ? (messages as readonly Message[]) : [messages as Message]).map(textOf)
  const address = reading.address?.toSign(visit)
  if (values['json']) {
    const second = address === undefined ? undefined : textOf(address)
    return { text: `${JSON.stringify({ scheme: scheme.name, stringsToSign: strings, addressToSign: second })}\n` }
  }
  return { text: written(strings, reading, address) }
}

/** One string as it is. Several strings each follow a line that begins with `#`. */
function written(strings: readonly string[], { address }: Reading, addressToSign: Message | undefined): string {
  const blocks =
    strings.length > 1 ? strings.map((text, i) => `# ${i + 1} of ${strings.length}; any of them is good\n${text}\n`) : [`${strings}\n`]
  if (!address) return blocks.join('\n')
  const first = `# the first signature\n${blocks.join('\n')}`
  if (addressToSign === undefined) return `${first}\n# the second signature binds the address; give the address with --ip\n`
  return `${first}\n# the second signature, which binds the address\n${textOf(addressToSign)}\n`
}

/** A message as text: `<secret>` for the secret, and hex for bytes that are not UTF-8. */
function textOf(message: Message): string {
  if (typeof message === 'string') return message
  if (!(message instanceof Uint8Array))
    return message.pieces.map((piece) => (piece === SECRET ? '<secret>' : textOf(piece as string | Uint8Array<ArrayBuffer>))).join('')
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(message)
  } catch {
    return Buffer.from(message).toString('hex')
  }
}

/** The request of the options, as schemes see it. */
function visitOf(link: string, values: Values): Visit {
  const ip = values['ip'] as string | undefined
  const { headers } = headersOf(values)
  return {
    // Clients do not send the fragment.
    url: link.replace(/#.*/s, ''),
    method: `${values['method'] ?? 'GET'}`.toUpperCase(),
    ip,
    headers,
    header: (name) => (/^[\w-]+$/.test(name) ? (headers?.get(name) ?? undefined) : undefined),
    network: (bits) => networkOf(ip, bits),
  }
}

// Long enough for every scheme, and in base64, because some vendors' secrets are. It is never shown.
const PLACEHOLDER = 'cGxhY2Vob2xkZXItcGxhY2Vob2xkZXItcGxhY2Vob2xkZXItcGxhY2Vob2xkZXI='

/** A key that can have signed the link, or a placeholder with the key id that the link names. */
async function keyFor(reading: Reading, name: string, values: Values, io: Io): Promise<SecretKey> {
  const { keyId } = reading.claims
  const keys = await keysOfScheme(name, await optionalKeysOf(values, io), values, keyId)
  const own = keys.find((key) => (reading.signedBy ? reading.signedBy(key) : !keyId || key.id === keyId))
  if (own) return own
  try {
    const scheme = await schemeOf(values, [{ id: keyId ?? 'placeholder', secret: PLACEHOLDER }], name)
    const [placeholder] = await scheme.keys(keyId)
    return placeholder as SecretKey
  } catch (error) {
    if (!(error instanceof LinkError)) throw error
    throw new Misuse(`--keys must be given for links of ${name}: ${error.message}`, { cause: error })
  }
}

/** The keys, prepared by the scheme. An empty list if they are not keys of this scheme, because SECURELINK_KEYS may have the keys of another one. */
async function keysOfScheme(
  name: string,
  keys: readonly SecretKey[],
  values: Values,
  keyId: string | undefined,
): Promise<readonly SecretKey[]> {
  if (keys.length === 0) return []
  try {
    return await (await schemeOf(values, keys, name)).keys(keyId)
  } catch (error) {
    // A file was named for this link, so its keys must fit.
    if (values['keys'] !== undefined || !(error instanceof LinkError || error instanceof Misuse)) throw error
    return []
  }
}
