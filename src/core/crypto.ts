// Computes and compares signatures. Nothing else in the library calls WebCrypto, except schemes that derive keys or hash a request, which take it from here.
import { BASE64, BASE64URL, decode, encode, HEX, same } from '../lib/encoding.ts'
import { assertOption, LinkError } from './errors.ts'
import { isCryptoKey, isRemote, type PlatformKey, type SecretKey } from './keys.ts'
import { type Algorithm, type Encoding, type Hash, type MaybeAsync, type Message, SECRET } from './scheme.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** A key that is ready to sign: imported, for HMAC, and otherwise as it is. */
export type ReadyKey = PlatformKey | SecretKey

/** WebCrypto. Throws a `LinkError` if the platform does not have it. */
export function subtle(): SubtleCrypto {
  const subtle = globalThis.crypto?.subtle
  if (!subtle) throw new LinkError('no_webcrypto', 'crypto.subtle is missing: browsers have it on https and on localhost only')
  return subtle
}

// Imported keys, by the key object: so no map contains secrets, and a key that the program no longer holds can be collected.
const imported: { [H in Hash]?: WeakMap<SecretKey, CryptoKey> } = {}

/**
 * Makes a key ready for an algorithm. HMAC keys are imported once.
 *
 * Callers await the answer even when it is not a promise. With many links under way, each has then done its own work before the first is handed to
 * WebCrypto. So WebCrypto's threads stay awake; waking one costs more than all of our own work.
 */
export function readyKey(key: SecretKey, algorithm: Algorithm): MaybeAsync<ReadyKey> {
  if (!('hmac' in algorithm) || isRemote(key.secret)) return key
  return imported[algorithm.hmac]?.get(key) ?? importKey(key, algorithm.hmac)
}

async function importKey(key: SecretKey, hash: Hash): Promise<CryptoKey> {
  const { secret } = key
  let ready: CryptoKey
  if (isCryptoKey(secret)) {
    ready = secret as CryptoKey
    const { name } = (ready.algorithm as HmacKeyAlgorithm).hash
    assertOption(name === hash, 'secret', `an HMAC key for ${hash}`)
  } else {
    const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : (secret as Bytes)
    ready = await subtle().importKey('raw', bytes, { name: 'HMAC', hash }, false, ['sign', 'verify'])
  }
  const known = (imported[hash] ??= new WeakMap())
  known.set(key, ready)
  return ready
}

/** Computes a signature, as bytes. */
export function compute(ready: ReadyKey, algorithm: Algorithm, message: Message): MaybeAsync<ArrayBuffer | Uint8Array> {
  if ('hmac' in algorithm && !('secret' in ready)) return subtle().sign('HMAC', ready as CryptoKey, bytesOf(message))
  const key = ready as SecretKey
  if (isRemote(key.secret)) return key.secret.sign(bytesOf(message).slice())
  if ('signer' in algorithm) return algorithm.signer.sign(key, bytesOf(message).slice())
  return (algorithm as Algorithm & { digest: (message: Bytes) => MaybeAsync<Uint8Array> }).digest(bytesOf(message, key))
}

/** Writes a signature as the algorithm says. */
export function spell(signature: ArrayBuffer | Uint8Array, { encoding, bytes }: Algorithm): string {
  const all = new Uint8Array(signature as ArrayBuffer)
  const text = encode(bytes === undefined ? all : all.subarray(0, bytes), ALPHABETS[encoding])
  return encoding === 'base64' ? text.padEnd(Math.ceil(text.length / 4) * 4, '=') : text
}

/**
 * Is this the signature of the message? WebCrypto compares where it has the algorithm; everything else is compared as whole strings, in a time
 * that does not depend on where they differ.
 */
export function matches(ready: ReadyKey, algorithm: Algorithm, message: Message, signature: string): MaybeAsync<boolean> {
  const whole = algorithm.bytes === undefined
  if ('hmac' in algorithm && whole && !('secret' in ready)) {
    const length = unspell(signature, algorithm.encoding, SIGNATURE.all)
    // Called even when it cannot match: every refusal costs one HMAC, so the time does not show which part was wrong.
    return subtle().verify('HMAC', ready as CryptoKey, SIGNATURE.first(Math.max(length, 0)), bytesOf(message))
  }
  if ('signer' in algorithm) {
    const bytes = new Uint8Array(Math.ceil((signature.length * 3) / 4))
    const length = unspell(signature, algorithm.encoding, bytes)
    return length > 0 && algorithm.signer.verify(ready as SecretKey, bytesOf(message).slice(), bytes.slice(0, length))
  }
  return compared(compute(ready, algorithm, message), algorithm, signature)
}

async function compared(expected: MaybeAsync<ArrayBuffer | Uint8Array>, algorithm: Algorithm, signature: string): Promise<boolean> {
  return same(spell(await expected, algorithm), signature)
}

const ALPHABETS: Readonly<Record<Encoding, string>> = { hex: HEX, base64: BASE64, base64url: BASE64URL }

/** Reads a signature into `bytes`; answers with its length, or -1 for any spelling but the one that `spell` writes. */
function unspell(signature: string, encoding: Encoding, bytes: Bytes): number {
  if (encoding !== 'base64') return decode(signature, ALPHABETS[encoding], bytes)
  const plain = signature.replace(/={1,2}$/, '')
  return signature.length % 4 ? -1 : decode(plain, BASE64, bytes)
}

/** A buffer, and views of its first bytes by their number. Kept, because making a view takes as long as encoding a message. */
class Scratch {
  readonly all: Bytes
  readonly #views: Bytes[] = []
  constructor(length: number) {
    this.all = new Uint8Array(length)
  }
  first(length: number): Bytes {
    this.#views[length] ??= this.all.subarray(0, length)
    return this.#views[length]
  }
}
const MESSAGE = /* @__PURE__ */ new Scratch(4096)
// One byte more than the longest HMAC has, so that a longer text does not match.
const SIGNATURE = /* @__PURE__ */ new Scratch(65)
let encoder: TextEncoder | undefined

/** The bytes of a message. They are in a shared buffer, so use them at once, or copy them. */
export function bytesOf(message: Message, key?: SecretKey): Bytes {
  if (typeof message === 'string') return utf8(message)
  return message instanceof Uint8Array ? message : joined(message.pieces, key)
}

function utf8(text: string): Bytes {
  encoder ??= new TextEncoder()
  if (text.length > MESSAGE.all.length) return encoder.encode(text)
  const { read, written } = encoder.encodeInto(text, MESSAGE.all)
  return read === text.length ? MESSAGE.first(written) : encoder.encode(text)
}

function joined(pieces: readonly (string | Uint8Array | typeof SECRET)[], key: SecretKey | undefined): Bytes {
  const parts = pieces.map((piece) => {
    const part = piece === SECRET ? key?.secret : piece
    // Copied at once, because the bytes of the next piece are written into the same buffer.
    return bytesOf(part as string | Bytes).slice()
  })
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
