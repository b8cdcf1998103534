// The parts of DER and PEM that keys and ECDSA signatures need. X.690, RFC 5958, RFC 5280 and RFC 7468.
import { BASE64, decode, encode, HEX } from '../../lib/encoding.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** One element: its tag, its content, and both with the length between them. */
export interface Element {
  readonly tag: number
  readonly content: Bytes
  readonly whole: Bytes
}

export const INTEGER = 0x02
export const SEQUENCE = 0x30
const BIT_STRING = 0x03
const OCTET_STRING = 0x04

/** The elements in these bytes, one after the other. `undefined` for bytes that are not DER. */
export function elementsOf(bytes: Bytes): readonly Element[] | undefined {
  const elements: Element[] = []
  for (let from = 0; from < bytes.length; ) {
    const tag = bytes[from] as number
    const short = bytes[from + 1] ?? 0x80
    // A length of 128 or more begins with a byte that says how many bytes it takes.
    const more = short < 0x80 ? 0 : short & 0x7f
    if (short === 0x80 || more > 3) return undefined
    let length = more ? 0 : short
    for (const byte of bytes.subarray(from + 2, from + 2 + more)) length = (length << 8) | byte
    const start = from + 2 + more
    // The shortest form of a length is the only one.
    const isShortest = more === 0 || length >= (more === 1 ? 0x80 : 1 << (8 * (more - 1)))
    if (!isShortest || start + length > bytes.length) return undefined
    elements.push({ tag, content: bytes.slice(start, start + length), whole: bytes.slice(from, start + length) })
    from = start + length
  }
  return elements
}

/** An element with this content. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Bytes {
  const length = contents.reduce((sum, { length }) => sum + length, 0)
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  const bytes = new Uint8Array(1 + size.length + length)
  bytes.set([tag, ...size])
  let at = 1 + size.length
  for (const content of contents) {
    bytes.set(content, at)
    at += content.length
  }
  return bytes
}

/** A key as WebCrypto imports it. */
export interface KeyFile {
  readonly format: 'pkcs8' | 'spki'
  readonly kind: 'RSA' | 'P-256'
  readonly der: Bytes
}

// AlgorithmIdentifiers: rsaEncryption with NULL, and id-ecPublicKey with prime256v1.
const ALGORITHMS: Readonly<Record<KeyFile['kind'], string>> = {
  RSA: '300d06092a864886f70d0101010500',
  'P-256': '301306072a8648ce3d020106082a8648ce3d030107',
}
const PEM = /-----BEGIN ((?:(?:RSA|EC) )?PRIVATE KEY|(?:RSA )?PUBLIC KEY|CERTIFICATE)-----(.+?)-----END \1-----/s

/** Reads a key or a certificate in PEM. `undefined` for anything else, and for keys that are neither RSA nor P-256. */
export function keyInPem(pem: string): KeyFile | undefined {
  // In environment variables, line breaks are often written as `\n`.
  const [, label, text] = PEM.exec(pem.replaceAll('\\n', '\n')) ?? []
  if (!label || !text) return undefined
  const base64 = text.replace(/\s+/g, '').replace(/={1,2}$/, '')
  const bytes = new Uint8Array(base64.length)
  const length = decode(base64, BASE64, bytes)
  return length > 0 ? keyIn(label, bytes.slice(0, length)) : undefined
}

function keyIn(label: string, der: Bytes): KeyFile | undefined {
  const zero = Uint8Array.of(0)
  switch (label) {
    case 'PRIVATE KEY':
      return keyFile('pkcs8', der, contentOf(der)?.[1])
    case 'PUBLIC KEY':
      return keyFile('spki', der, contentOf(der)?.[0])
    case 'RSA PRIVATE KEY':
      return { format: 'pkcs8', kind: 'RSA', der: element(SEQUENCE, element(INTEGER, zero), algorithm('RSA'), element(OCTET_STRING, der)) }
    case 'RSA PUBLIC KEY':
      return { format: 'spki', kind: 'RSA', der: element(SEQUENCE, algorithm('RSA'), element(BIT_STRING, zero, der)) }
    case 'EC PRIVATE KEY':
      return {
        format: 'pkcs8',
        kind: 'P-256',
        der: element(SEQUENCE, element(INTEGER, zero), algorithm('P-256'), element(OCTET_STRING, der)),
      }
    default: {
      const spki = spkiInCertificate(der)
      return spki && keyFile('spki', spki, contentOf(spki)?.[0])
    }
  }
}

/** The public key of a certificate. It is the sixth field after the version, which may be left out. */
function spkiInCertificate(der: Bytes): Bytes | undefined {
  const fields = contentOf(contentOf(der)?.[0]?.whole) ?? []
  const hasVersion = fields[0]?.tag === 0xa0
  return fields[hasVersion ? 6 : 5]?.whole
}

/** The elements in an element. */
function contentOf(der: Bytes | undefined): readonly Element[] | undefined {
  const outer = der && elementsOf(der)?.[0]
  return outer && elementsOf(outer.content)
}

function keyFile(format: KeyFile['format'], der: Bytes, identifier: Element | undefined): KeyFile | undefined {
  const text = identifier && encode(identifier.whole, HEX)
  const kind = (['RSA', 'P-256'] as const).find((each) => ALGORITHMS[each] === text)
  return kind && { format, kind, der }
}

function algorithm(kind: KeyFile['kind']): Bytes {
  const bytes = new Uint8Array(32)
  return bytes.slice(0, decode(ALGORITHMS[kind], HEX, bytes))
}

/** The length of an RSA modulus, in bits. `undefined` for bytes without one, which WebCrypto does not import. */
export function modulusLength({ format, der }: KeyFile): number | undefined {
  const fields = contentOf(der)
  // In a public key after the number of unused bits, in a private key after the versions of PKCS #8 and PKCS #1.
  const numbers = format === 'spki' ? contentOf(fields?.[1]?.content.slice(1)) : contentOf(fields?.[2]?.content)
  const modulus = numbers?.[format === 'spki' ? 0 : 1]?.content
  const first = modulus?.findIndex((byte) => byte > 0) ?? -1
  return modulus?.[first] && (modulus.length - first) * 8 - (Math.clz32(modulus[first]) - 24)
}

// The two numbers of an ECDSA signature with P-256: 32 bytes each with WebCrypto, two integers in a sequence with openssl, KMS and CloudFront.
const HALF = 32

/** An ECDSA signature as openssl writes it. */
export function derSignature(raw: Uint8Array): Bytes {
  return element(SEQUENCE, integer(raw.subarray(0, HALF)), integer(raw.subarray(HALF)))
}

/** The opposite of {@link derSignature}. `undefined` for any other spelling. */
export function rawSignature(der: Bytes): Bytes | undefined {
  const numbers = contentOf(der)
  if (numbers?.length !== 2) return undefined
  const raw = new Uint8Array(2 * HALF)
  for (const [at, { content }] of numbers.entries()) {
    const number = content[0] === 0 ? content.subarray(1) : content
    if (number.length > HALF) return undefined
    raw.set(number, (at + 1) * HALF - number.length)
  }
  // Encoding it again must give the same bytes, because a signature has only one spelling.
  return encode(derSignature(raw), HEX) === encode(der, HEX) ? raw : undefined
}

/** A positive integer: without leading zeros, except one if the first bit is set. */
function integer(number: Uint8Array): Bytes {
  let from = 0
  while (from < number.length - 1 && number[from] === 0) from++
  const significant = number.subarray(from)
  return element(INTEGER, (significant[0] as number) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(0), significant)
}
