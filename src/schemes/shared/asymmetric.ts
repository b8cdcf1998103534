// Key pairs for schemes that sign with RSA or ECDSA: the private key signs, and the public key alone verifies.
import { subtle } from '../../core/crypto.ts'
import { assertOption, LinkError } from '../../core/errors.ts'
import { type Keyring, type KeySource, type Keys, keyring, type PlatformKey, type RemoteSecret, type SecretKey } from '../../core/keys.ts'
import type { Signer } from '../../core/scheme.ts'
import { assertClean } from './clean-secret.ts'
import { derSignature, type KeyFile, keyInPem, modulusLength, rawSignature } from './der.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** The hash functions that are signed. */
export type SignedHash = 'SHA-1' | 'SHA-256'

/** A key pair, or one half of it. */
export interface KeyPair extends Omit<SecretKey, 'secret'> {
  /** The name of the key, which the link shows. */
  readonly id: string
  /**
   * The private key: in PEM (PKCS #1, PKCS #8 or SEC 1, not encrypted), a `CryptoKey`, or one that stays elsewhere, such as in a KMS. Without it,
   * or with a public key in its place, the scheme only verifies.
   */
  readonly secret?: string | PlatformKey | RemoteSecret
  /** The public key, or a certificate: in PEM, or a `CryptoKey`. Default: the public half of `secret`, if it can be derived. */
  readonly publicKey?: string | PlatformKey
}

/** A key pair as the verbs carry it. Only {@link signer} looks into it. */
interface Pair extends RemoteSecret {
  verify(hash: SignedHash, message: Bytes, signature: Bytes): Promise<boolean>
}

type Source = KeyFile | CryptoKey

/** The keys that a vendor takes. */
export interface AllowedKeys {
  readonly kinds: readonly KeyFile['kind'][]
  /** The shortest RSA key, in bits. */
  readonly leastBits: number
}

/** Checks key pairs. `hash` is the one that they sign with; they verify with any. */
export function keyPairs<K extends KeyPair>(keys: Keys<K>, hash: SignedHash, allowed: AllowedKeys): KeySource {
  // By the key object, so that a key which is looked up twice is imported once.
  const known = new WeakMap<K, SecretKey>()
  const carried = (key: K): SecretKey => {
    assertOption(typeof key === 'object' && key !== null, 'keys', 'an object such as { id, secret }, or a list of such objects')
    const pair = known.get(key) ?? { ...withoutPublicKey(key), secret: pairOf(key, hash, allowed) }
    known.set(key, pair)
    return pair
  }
  const allCarried = (ring: Keyring<K>): readonly SecretKey[] => ([ring].flat() as K[]).map(carried)
  if (typeof keys !== 'function') return keyring(allCarried(keys))
  return keyring(async (id) => {
    const found = await keys(id)
    return found && allCarried(found)
  })
}

/** Signs and verifies with the keys of {@link keyPairs}. */
export function signer(hash: SignedHash): Signer {
  return {
    sign: (key, message) => (key.secret as Pair).sign(message),
    verify: (key, message, signature) => (key.secret as Pair).verify(hash, message, signature),
  }
}

function withoutPublicKey({ publicKey, ...others }: KeyPair): Omit<KeyPair, 'publicKey'> {
  return others
}

function pairOf({ id, secret, publicKey }: KeyPair, hash: SignedHash, allowed: AllowedKeys): Pair {
  assertOption(typeof id === 'string' && id, 'id', 'the name of the key, as text')
  assertClean('id', id)
  assertOption(secret || publicKey, 'secret', 'a private key, or left out for a publicKey that only verifies', 'weak_key')
  const remote = isRemote(secret) ? secret : undefined
  const own = secret && !isRemote(secret) ? sourceOf(secret, 'secret', allowed) : undefined
  const open = publicKey ? sourceOf(publicKey, 'publicKey', allowed) : own
  assertOption(!publicKey || !isPrivate(open as Source), 'publicKey', 'a public key')
  const imported: { [H in SignedHash]?: Promise<CryptoKey> } = {}
  let importedToSign: Promise<CryptoKey> | undefined
  return {
    async sign(message) {
      if (remote) return remote.sign(message)
      if (!own || !isPrivate(own)) throw new LinkError('no_key', 'secret must be a private key to sign', { option: 'secret' })
      importedToSign ??= importPrivate(own, hash)
      const ready = await importedToSign
      const signature = new Uint8Array(await subtle().sign(parameters(ready, hash), ready, message))
      return isElliptic(ready) ? derSignature(signature) : signature
    },
    async verify(hash, message, signature) {
      if (!open)
        throw new LinkError('no_key', 'publicKey must be given to verify, if the private key stays elsewhere', { option: 'publicKey' })
      imported[hash] ??= importPublic(open, hash)
      const ready = await imported[hash]
      const raw = isElliptic(ready) ? rawSignature(signature) : signature
      return raw !== undefined && subtle().verify(parameters(ready, hash), ready, raw, message)
    },
  }
}

function sourceOf(key: string | PlatformKey, option: string, { kinds, leastBits }: AllowedKeys): Source {
  const source = typeof key === 'string' ? keyInPem(key) : (key as CryptoKey)
  const found = source && kinds.find((kind) => kind === kindOf(source))
  const format = 'in PEM that is not encrypted, or a CryptoKey'
  assertOption(found, option, `a key of ${kinds.join(' or ')}, ${format}`)
  const bits = found === 'RSA' ? bitsOf(source as Source) : undefined
  assertOption(bits === undefined || bits >= leastBits, option, `an RSA key of ${leastBits} bits or more`, 'weak_key')
  return source as Source
}

/** The length of an RSA key. */
const bitsOf = (source: Source): number | undefined =>
  'der' in source ? modulusLength(source) : (source.algorithm as RsaKeyAlgorithm).modulusLength

function kindOf(source: Source): string | undefined {
  if ('der' in source) return source.kind
  const { name, namedCurve } = (source.algorithm ?? {}) as EcKeyAlgorithm
  return name === 'RSASSA-PKCS1-v1_5' ? 'RSA' : name === 'ECDSA' ? namedCurve : undefined
}

const isPrivate = (source: Source): boolean => ('der' in source ? source.format === 'pkcs8' : source.type === 'private')

function isRemote(secret: KeyPair['secret']): secret is RemoteSecret {
  return typeof (secret as RemoteSecret | undefined)?.sign === 'function'
}

const isElliptic = (key: CryptoKey): boolean => key.algorithm.name === 'ECDSA'

// An RSA `CryptoKey` includes its hash; for ECDSA the hash is passed each time.
const parameters = ({ algorithm: { name } }: CryptoKey, hash: SignedHash) => ({ name, hash })
const importParameters = (kind: KeyFile['kind'], hash: SignedHash) =>
  kind === 'RSA' ? { name: 'RSASSA-PKCS1-v1_5', hash } : { name: 'ECDSA', namedCurve: kind }

async function importPrivate(source: Source, hash: SignedHash): Promise<CryptoKey> {
  if ('der' in source) return importKey(source, importParameters(source.kind, hash), 'sign')
  const { hash: own } = source.algorithm as RsaHashedKeyAlgorithm
  assertOption(isElliptic(source) || own.name === hash, 'secret', `a CryptoKey for ${hash}`)
  return source
}

/** The public half, whichever half the source is. */
async function importPublic(source: Source, hash: SignedHash): Promise<CryptoKey> {
  const { hash: own } = 'der' in source ? {} : (source.algorithm as Partial<RsaHashedKeyAlgorithm>)
  if (!('der' in source) && !isPrivate(source) && (!own || own.name === hash)) return source
  const kind = kindOf(source) as KeyFile['kind']
  if ('der' in source && !isPrivate(source)) return importKey(source, importParameters(kind, hash), 'verify')
  const whole = 'der' in source ? await importKey(source, importParameters(kind, hash), 'sign', true) : source
  assertOption(whole.extractable, 'publicKey', 'given to verify, if the CryptoKey cannot be extracted, or is for another hash')
  const { kty, n, e, crv, x, y } = await subtle().exportKey('jwk', whole)
  const half = kind === 'RSA' ? { kty, n, e } : { kty, crv, x, y }
  return subtle().importKey('jwk', half as JsonWebKey, importParameters(kind, hash), false, ['verify'])
}

async function importKey(
  { format, der }: KeyFile,
  algorithm: EcKeyImportParams | RsaHashedImportParams,
  use: KeyUsage,
  extractable = false,
) {
  try {
    return await subtle().importKey(format, der, algorithm, extractable, [use])
  } catch (error) {
    if (error instanceof LinkError) throw error
    // biome-ignore lint/style/useErrorCause: its message may repeat parts of the key
    throw new LinkError('bad_option', `${format === 'spki' ? 'publicKey' : 'secret'} must be a whole key: WebCrypto cannot import this one`)
  }
}
