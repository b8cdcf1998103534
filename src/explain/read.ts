// Reads the link of an attempt. If its signature cannot be read, it is replaced by one of zeros.
import { spell } from '../core/crypto.ts'
import type { Hash, Reading, Scheme, Unreadable, Visit } from '../core/scheme.ts'
import { networkOf } from '../lib/address.ts'
import { decodeValue } from '../lib/url.ts'
import type { Attempt } from './attempt.ts'
import { rawValue, withValue } from './rules/parts.ts'

/** A link that was read, and the signature that it came with. */
export interface Read {
  readonly reading: Reading
  readonly received: string
}

export const isReading = (reading: Reading | Unreadable): reading is Reading => typeof reading === 'object' && 'claims' in reading

/** The request of an attempt, as schemes see it. */
export function visitFor({ url, method, ip, headers }: Attempt): Visit {
  return {
    url,
    method,
    ip,
    headers: Object.entries(headers),
    header: (name) => (Object.hasOwn(headers, name) ? headers[name] : undefined),
    network: (bits) => networkOf(ip, bits),
  }
}

/** The link of an attempt. `undefined` if it cannot be read, for another reason than the spelling of its signature. */
export async function readLink({ scheme, url, headers }: Attempt): Promise<Read | undefined> {
  const header = (name: string) => (Object.hasOwn(headers, name) ? headers[name] : undefined)
  const reading = scheme.read(url, header)
  if (isReading(reading)) return { reading, received: reading.signature }
  const parameter = typeof reading === 'object' ? reading.malformed : undefined
  if (parameter === undefined) return undefined
  const written = rawValue(url, parameter)
  const zeros = spell(new Uint8Array(await lengthOf(scheme.algorithm)), scheme.algorithm)
  const whole = decodeValue(written ?? '') ?? written ?? ''
  const placeholders = [
    { text: encodeURIComponent(zeros), received: whole },
    // The scheme `hmac` has a second signature after the first if the link is for one network.
    { text: encodeURIComponent(zeros + zeros), received: whole.slice(0, whole.length / 2) },
    // Google's Cloud CDN has padding that is not escaped.
    { text: `${zeros}=`, received: whole },
  ]
  for (const { text, received } of placeholders) {
    const again = scheme.read(withValue(url, parameter, text), header)
    if (isReading(again) && (zeros + zeros).startsWith(again.signature)) return { reading: again, received }
  }
  return undefined
}

/** The length of a signature, in bytes. */
async function lengthOf(algorithm: Scheme['algorithm']): Promise<number> {
  if (algorithm.bytes !== undefined) return algorithm.bytes
  if ('hmac' in algorithm) return HASH_LENGTH[algorithm.hmac]
  return 'digest' in algorithm ? (await algorithm.digest(new Uint8Array())).length : 0
}

const HASH_LENGTH: Readonly<Record<Hash, number>> = { 'SHA-1': 20, 'SHA-256': 32, 'SHA-384': 48, 'SHA-512': 64 }
