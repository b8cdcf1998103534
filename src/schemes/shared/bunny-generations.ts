// The three generations of Bunny's tokens: how they sign, what they can carry, and in which form they sign path and address.
import type { Algorithm, Covered } from '../../core/scheme.ts'
import { type Network, printAddress } from '../../lib/address.ts'
import { decodeValue } from '../../lib/url.ts'
import { md5Digest } from './plain-hash.ts'
import { digestWith } from './sha-digest.ts'

/** How a generation signs. */
export interface Generation {
  readonly algorithm: Algorithm
  /** Its token, with the flag of an address. */
  readonly token: RegExp
  readonly carries: readonly ('ip' | 'prefix')[]
  readonly own: readonly string[]
  readonly covers: readonly Covered[]
  /** The path in the form that is signed; `undefined` if it is also that of another one. */
  pathToSign(path: string): string | undefined
  /** The address in the form that is signed. */
  addressToSign(network: Network, ip: string): Uint8Array | string
  /** The address that a valid signature proves. */
  provenAddress(ip: string): string
}

const asItIs = (path: string): string => path

/** A generation that signs decoded paths cannot tell an escaped slash from a slash. */
const decodedPath = (path: string): string | undefined => (/%(2f|5c)/i.test(path) ? undefined : decodeValue(path))

export const GENERATIONS: Readonly<Record<'hs256' | 'sha256' | 'md5', Generation>> = {
  hs256: {
    algorithm: { hmac: 'SHA-256', encoding: 'base64url' },
    token: /^HS256-(1-)?([\w-]{43})$/,
    carries: ['ip', 'prefix'],
    own: ['countriesAllowed', 'countriesBlocked', 'limit', 'ignoreParams'],
    covers: ['path', 'query', 'prefix', 'ip', 'expires'],
    pathToSign: asItIs,
    addressToSign: bytesOf,
    provenAddress: firstHalf,
  },
  sha256: {
    algorithm: { digest: /* @__PURE__ */ digestWith('SHA-256'), encoding: 'base64url' },
    token: /^()([\w-]{43})$/,
    carries: ['ip', 'prefix'],
    own: ['countriesAllowed', 'countriesBlocked'],
    covers: ['path', 'query', 'prefix', 'ip', 'expires'],
    pathToSign: decodedPath,
    addressToSign: (_, ip) => plainAddress(ip),
    provenAddress: plainAddress,
  },
  md5: {
    algorithm: { digest: md5Digest, encoding: 'base64url' },
    token: /^()([\w-]{22})$/,
    carries: ['ip'],
    own: [],
    covers: ['path', 'ip', 'expires'],
    pathToSign: asItIs,
    addressToSign: (_, ip) => plainAddress(ip),
    provenAddress: plainAddress,
  },
}

/** One address; or, where only half of it counts, the half. */
export const isAddress = ({ bits, digits }: Network, mayBeHalf: boolean): boolean =>
  bits === 128 || (bits === 32 && digits.length === 32) || (mayBeHalf && bits === 64)

/** The four bytes of an IPv4 address, or the sixteen of an IPv6 address, of which only the first half counts. */
function bytesOf({ bits, digits }: Network): Uint8Array {
  const significant = bits === 32 ? digits.slice(-8) : digits.slice(0, 16).padEnd(32, '0')
  return Uint8Array.from(significant.match(/../g) as string[], (pair) => Number(`0x${pair}`))
}

/** An address as text, without a length; an IPv4 address on a socket for both is the IPv4 address. */
function plainAddress(ip: string): string {
  return (printAddress(ip.replace(/\/\d+$/, '')) ?? '').replace(/^::ffff:(?=\d+\.)/, '')
}

/** An IPv4 address, or the network of the first half of an IPv6 address. */
function firstHalf(ip: string): string {
  const address = plainAddress(ip)
  return address.includes(':') ? `${address}/64` : address
}
