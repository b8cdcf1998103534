// Keys: byte secrets are copied in every scheme, and other views than Uint8Array are refused.
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { hmac, LinkError, type Scheme, sign, verify } from '../../src/index.ts'
import { keyring, type SecretKey } from '../../src/core/keys.ts'
import { azure } from '../../src/schemes/azure.ts'
import { gcs } from '../../src/schemes/gcs.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { nginxHmac } from '../../src/schemes/nginx-hmac.ts'
import { pichax } from '../../src/schemes/pichax.ts'
import { s3 } from '../../src/schemes/s3.ts'

const NOW = new Date('2030-01-01T00:00:00Z')
const at = { now: () => NOW }
const BYTES = new TextEncoder().encode('0123456789abcdef0123456789abcdef')
// azure signs for hosts of Azure only, and s3 and gcs refuse them.
const fileFor = ({ name }: Scheme) => (name === 'azure' ? 'https://myaccount.blob.core.windows.net/c/a.txt' : 'https://files.test/c/a.txt')

// Each scheme with what `sign` needs for a link of it.
const schemes: [name: string, make: (secret: SecretKey['secret']) => Scheme, conditions: object][] = [
  ['hmac', (secret) => hmac({ secret }), {}],
  ['pichax', (secret) => pichax({ id: 'a', secret }), { id: 'b' }],
  ['s3', (secret) => s3({ id: 'a', secret }, { region: 'eu-central-1' }), {}],
  ['gcs', (secret) => gcs({ id: 'a', secret }), {}],
  ['azure', (secret) => azure({ id: 'myaccount', secret }), { permissions: 'r' }],
  ['nginx', (secret) => nginx({ secret }) as unknown as Scheme, { ip: '203.0.113.7' }],
  ['nginxHmac', (secret) => nginxHmac({ secret }) as unknown as Scheme, {}],
]

const signed = (scheme: Scheme, conditions: object) =>
  sign(scheme, fileFor(scheme), { expires: '1h', ...conditions } as { expires: '1h' }, at)
const opens = async (scheme: Scheme, link: string) => (await verify(scheme, link, { ...at, ip: '203.0.113.7' })).ok

/** Overwrites secrets. Not zero, because s3 and gcs refuse control characters. */
const WIPED = 'x'.charCodeAt(0)

/** A byte secret that its owner wipes once the scheme is made. */
const wiped: [name: string, secret: () => Uint8Array][] = [
  ['a Uint8Array', () => Uint8Array.from(BYTES)],
  ['a Buffer of its own', () => Buffer.from(BYTES.slice().buffer)],
  ['a Buffer of the pool', () => Buffer.from(BYTES)],
  ['a view into a larger buffer', () => view(new Uint8Array(100))],
  ['a Buffer into a larger buffer', () => view(Buffer.alloc(100))],
  ['a subclass of Uint8Array', () => new (class Secret extends Uint8Array {})(BYTES)],
  ['a Uint8Array over shared memory', () => view(new Uint8Array(new SharedArrayBuffer(100)))],
  ['a Uint8Array of another realm', () => runInNewContext('Uint8Array.from(bytes)', { bytes: [...BYTES] })],
]

function view(buffer: Uint8Array): Uint8Array {
  buffer.fill(255)
  buffer.set(BYTES, 7)
  return buffer.subarray(7, 7 + BYTES.length)
}

describe.each(schemes)('%s', (_name, make, conditions) => {
  test.each(wiped)('%s that is wiped afterwards stays the key that it was', async (_what, secretOf) => {
    const secret = secretOf()
    const links = make(secret)
    secret.fill(WIPED)
    // A key is imported at its first use, which is after the wiping.
    const link = await signed(links, conditions)
    expect(await opens(make(Uint8Array.from(BYTES)), link)).toBe(true)
    expect(await opens(links, await signed(make(Uint8Array.from(BYTES)), conditions))).toBe(true)
    const other = make(new Uint8Array(BYTES.length).fill(WIPED))
    expect(await opens(links, await signed(other, conditions))).toBe(false)
    expect(await opens(other, link)).toBe(false)
  })

  test.each<[string, unknown]>([
    ['a Uint16Array', new Uint16Array(64)],
    ['an Int8Array', new Int8Array(64)],
    ['a Uint8ClampedArray', new Uint8ClampedArray(64)],
    ['a Float64Array', new Float64Array(64)],
    ['a DataView', new DataView(new ArrayBuffer(64))],
    ['an ArrayBuffer', new ArrayBuffer(64)],
    ['a SharedArrayBuffer', new SharedArrayBuffer(64)],
    ['an array of bytes', [...BYTES]],
    ['an array of text', ['0123456789abcdef0123456789abcdef']],
    ['an object with a length', { length: 64 }],
    ['a number', 64],
    ['a function', Math.max],
  ])('%s is not a secret', (_what, secret) => {
    const refused = (() => {
      try {
        make(secret as string)
      } catch (error) {
        return error
      }
      return undefined
    })()
    expect(refused).toBeInstanceOf(LinkError)
    expect(refused).toMatchObject({ code: 'bad_option', message: 'secret must be text, a Uint8Array or a CryptoKey' })
  })
})

test('the ring keeps the bytes and nothing else of a larger buffer', () => {
  const secret = keyring({ secret: view(Buffer.alloc(100)) })[0]?.secret as Uint8Array
  expect(secret).toEqual(BYTES)
  expect(secret.buffer.byteLength).toBe(BYTES.length)
})

describe('half a surrogate pair', () => {
  const secret = '0123456789abcdef0123456789abcdef'
  test.each<[string, () => unknown]>([
    ['in the purpose of hmac', () => hmac({ secret }, { purpose: 'a\ud83d' })],
    [
      'in the purpose of hmac, at its end, with a key whose id would complete it',
      () => hmac({ id: '\ude00', secret }, { purpose: '\ud83d' }),
    ],
    ['in a key id of hmac', () => hmac({ id: '\ud83d', secret })],
    ['in the id of the second key', () => hmac([{ secret }, { id: 'a\ude00b', secret }])],
    ['in a key id of pichax', () => pichax({ id: '\ud83d', secret })],
    ['in a key id of s3', () => s3({ id: '\ud83d', secret }, { region: 'eu-central-1' })],
  ])('%s', (_what, make) => {
    expect(make).toThrow(LinkError)
    expect(make).toThrow(expect.objectContaining({ code: 'bad_option' }))
  })

  test('a whole pair is text', async () => {
    const links = hmac({ id: '😀', secret }, { purpose: '😀' })
    expect(await verify(links, await sign(links, '/a', { expires: '1h' }))).toMatchObject({ ok: true, claims: { keyId: '😀' } })
  })
})
