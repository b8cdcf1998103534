// Mistakes with the string to sign: the signer put it together differently from the verifier.

import type { Algorithm, Hash } from '../../core/scheme.ts'
import { printAddress } from '../../lib/address.ts'
import { decodeValue, split } from '../../lib/url.ts'
import { type Attempt, SECRET_MARK } from '../attempt.ts'
import type { Rule, Variant } from '../rule.ts'
import { isOwn, piecesOf } from './parts.ts'

type Rewrite = (text: string, attempt: Attempt) => string | undefined

/** One variant for each way to write the string to sign. */
export const rewrites = (...ways: readonly Rewrite[]): readonly Variant[] => ways.map((rewrite) => ({ patch: { rewrite } }))

const PRINT = 'Print both strings to sign, and write the one of the signer like the one of the verifier.'

/** Mistakes with the string to sign. */
export const TEXT_RULES: readonly Rule[] = [
  {
    code: 'text_line_break',
    kind: 'text',
    rarity: 1,
    sentence:
      'The string that was signed has a line break at its end, which "echo" and here-documents add, or lacks the one that belongs there.',
    remedy: 'Use "printf %s" or "echo -n" to pass a string to openssl or md5sum.',
    variants: () =>
      rewrites(
        (text) => `${text}\n`,
        (text) => text.replace(/\n$/, ''),
        (text) => `${text}\r\n`,
        (text) => `${text} `,
        (text) => text.trimEnd(),
      ),
  },
  {
    code: 'text_line_ends',
    kind: 'text',
    rarity: 1,
    sentence: 'The lines of the string that was signed are joined by something other than one line feed, such as the two characters "\\n".',
    remedy: 'Join the lines with a line feed; in PHP and shells "\\n" is one only within double quotes.',
    variants: () => rewrites(...['\\n', '\r\n', '', ' ', '|', ':'].map((end) => (text: string) => text.replaceAll('\n', end))),
  },
  {
    code: 'path_without_slash',
    kind: 'text',
    rarity: 1,
    sentence: 'The path was signed without its first slash.',
    remedy: 'Sign the path with its first slash.',
    variants: () => inText((path) => path.slice(1)),
  },
  {
    code: 'path_not_encoded',
    kind: 'text',
    rarity: 1,
    sentence: 'The path was signed decoded, with spaces and letters as they are, and the verifier signs it percent-encoded.',
    remedy: 'Sign the path as it stands in the URL.',
    variants: () => inText((path) => decodeValue(path)),
  },
  {
    code: 'path_encoded',
    kind: 'text',
    rarity: 1,
    sentence: 'The path was signed percent-encoded, and the verifier signs it decoded.',
    remedy: 'Decode the path before signing: the verifier compares the name that the server sees.',
    variants: () =>
      inText(
        encoded,
        (path) => encodeURIComponent(decodeValue(path) ?? path),
        (path) => path.replaceAll(' ', '+'),
      ),
  },
  {
    code: 'path_encoded_twice',
    kind: 'text',
    rarity: 2,
    sentence: 'The path was percent-encoded twice before it was signed.',
    remedy: 'Encode the path once.',
    variants: () =>
      inText(
        (path) => encoded(path).replaceAll('%', '%25'),
        (path) => path.replaceAll('%', '%25'),
      ),
  },
  {
    code: 'whole_url',
    kind: 'text',
    rarity: 1,
    sentence: 'The whole URL was signed in place of its path.',
    remedy: 'Sign the path, from its first slash on.',
    variants: () =>
      inText(
        (path, { url }) => split(url).origin + path,
        (path, { url }) => split(url).origin.replace(/^.*\/\//, '') + path,
      ),
  },
  {
    code: 'query_in_path',
    kind: 'text',
    rarity: 1,
    sentence: 'The query was signed together with the path.',
    remedy: 'Sign the path without the query.',
    variants: () =>
      inText(
        (path, attempt) => path + othersOf(attempt),
        (path, { url }) => path + split(url).query,
        (path, attempt) => `${path}${othersOf(attempt)}`.replace(/\?$/, ''),
      ),
  },
  {
    code: 'query_left_out',
    kind: 'text',
    rarity: 1,
    sentence: 'The query was left out of the string that was signed.',
    remedy: 'Sign the path and the query.',
    variants: () => rewrites(...[0, 1, 2].map((which) => (text: string, attempt: Attempt) => withoutQuery(text, attempt, which))),
  },
  {
    code: 'file_name',
    kind: 'text',
    rarity: 2,
    sentence: 'Only the name of the file was signed, or the path without its first segment, in place of the whole path.',
    remedy: 'Sign the whole path.',
    variants: () =>
      inText(
        (path) => path.replace(/^.*\//, ''),
        (path) => path.replace(/^\/[^/]+(?=\/)/, ''),
        (path) => path.slice(0, path.lastIndexOf('/') + 1),
      ),
  },
  {
    code: 'text_case',
    kind: 'text',
    rarity: 2,
    sentence: 'The string was put into lower case, or upper case, before it was signed.',
    remedy: PRINT,
    variants: () =>
      rewrites(
        (text) => text.toLowerCase(),
        (text) => text.toUpperCase(),
        (text) => text.replace(/%[\da-f]{2}/gi, (triplet) => triplet.toLowerCase()),
      ),
  },
  {
    code: 'text_encoded',
    kind: 'text',
    rarity: 2,
    sentence: 'The values were percent-encoded before they were signed, and the verifier signs them decoded, or the other way round.',
    remedy: 'Sign the values as they are, and encode them afterwards, when they are put into the URL.',
    variants: () =>
      rewrites(
        (text) => text.split('\n').map(encodeURIComponent).join('\n'),
        (text) => text.replace(/[^\n:|/]+/g, encodeURIComponent),
        (text) => decodeValue(text),
        (text) => encodeURIComponent(text),
        (text) => text.replaceAll('%20', '+'),
        (text) => text.replace(/[:+]/g, encodeURIComponent),
      ),
  },
  {
    code: 'milliseconds_signed',
    kind: 'text',
    rarity: 1,
    sentence: 'The string that was signed has a time in milliseconds, and the link has it in seconds.',
    remedy: 'Compute the expiry once, in seconds: Math.floor(Date.now() / 1000) + lifetime.',
    variants: () =>
      rewrites(
        (text) => text.replace(/(?<!\d)([12]\d{9})(?!\d)/g, '$1000'),
        (text) => text.replace(/(?<!\d)([12]\d{9})(?!\d)/g, '$1.0'),
      ),
  },
  {
    code: 'address_form',
    kind: 'text',
    rarity: 2,
    sentence: 'The address was signed in another spelling, such as ::ffff:203.0.113.7 for 203.0.113.7.',
    remedy: 'Sign the address in the form of RFC 5952, without ::ffff: before an IPv4 address.',
    variants: () => rewrites(...addressForms),
  },
  {
    code: 'address_left_out',
    kind: 'text',
    rarity: 1,
    sentence: 'The link was signed without an address, and the verifier expects one.',
    remedy: 'Sign the address of the client, or leave it out of the expression of the verifier.',
    variants: () => rewrites((text, { ip }) => replacedIn(text, ip && printAddress(ip), '')),
  },
  {
    code: 'text_normal_form',
    kind: 'text',
    rarity: 3,
    sentence: 'Letters with accents were signed decomposed (NFD) and are composed in the link (NFC), or the other way round.',
    remedy: 'Normalise the text with normalize("NFC") before signing.',
    variants: () =>
      rewrites(
        (text) => text.normalize('NFD'),
        (text) => text.normalize('NFC'),
      ),
  },
]

const MAC = 'Use HMAC: hash_hmac(algorithm, string, secret) in PHP, hmac.new(secret, string, algorithm) in Python.'

/** Mistakes with the function that signs. */
export const HASH_RULES: readonly Rule[] = [
  {
    code: 'swapped_arguments',
    kind: 'hash',
    rarity: 1,
    sentence: 'Secret and string were exchanged: the string was used as the key of the HMAC.',
    remedy: MAC,
    variants: ({ scheme }) => ('hmac' in scheme.algorithm ? [{ patch: { swapped: true } }] : []),
  },
  {
    code: 'plain_hash',
    kind: 'hash',
    rarity: 1,
    sentence: 'The signature is a plain hash of secret and string, in place of an HMAC.',
    remedy: MAC,
    variants: ({ scheme }) => plainHashes(scheme.algorithm),
  },
  {
    code: 'other_hash',
    kind: 'hash',
    rarity: 1,
    sentence: (what) => `The signature is an HMAC with ${what}, and the scheme uses another hash.`,
    remedy: 'Use the hash of the scheme.',
    variants: ({ scheme }) => otherHashes(scheme.algorithm),
  },
]

const HASHES: readonly Hash[] = ['SHA-256', 'SHA-1', 'SHA-512', 'SHA-384']

function otherHashes(algorithm: Algorithm): readonly Variant[] {
  if (!('hmac' in algorithm)) return []
  const { hmac: own } = algorithm
  return HASHES.filter((hash) => hash !== own).map((hmac) => ({ patch: { algorithm: { ...algorithm, hmac } }, what: hmac }))
}

function plainHashes(algorithm: Algorithm): readonly Variant[] {
  if (!('hmac' in algorithm)) return []
  const { hmac, encoding } = algorithm
  const digest = async (message: Uint8Array<ArrayBuffer>) => new Uint8Array(await crypto.subtle.digest(hmac, message))
  const orders: Rewrite[] = [
    (text) => SECRET_MARK + text,
    (text) => text + SECRET_MARK,
    (text) => `${SECRET_MARK}:${text}`,
    (text) => `${text}:${SECRET_MARK}`,
    (text) => `${text}\n${SECRET_MARK}`,
    (text) => text,
  ]
  return orders.map((rewrite) => ({ patch: { algorithm: { digest, encoding }, rewrite } }))
}

/** Variants that replace the path within the string to sign, in any form that it has there. */
function inText(...changes: readonly ((path: string, attempt: Attempt) => string | undefined)[]): readonly Variant[] {
  return changes.map((change) => ({
    patch: {
      rewrite: (text: string, attempt: Attempt) => {
        const path = pathIn(text, attempt)
        return path === undefined ? undefined : replacedIn(text, path, change(path, attempt))
      },
    },
  }))
}

/** The path as it stands in the string to sign: as in the URL, or decoded, with merged slashes. */
function pathIn(text: string, { url }: Attempt): string | undefined {
  const { path } = split(url)
  if (path.length < 2) return undefined
  const plain = decodeValue(path)
  return [path, plain, plain?.replace(/\/{2,}/g, '/'), path.replace(/^\/[^/]+/, '')].find(
    (form) => form && form.length > 1 && text.includes(form),
  )
}

function replacedIn(text: string, part: string | undefined, other: string | undefined): string | undefined {
  if (!part || other === undefined) return undefined
  const at = text.indexOf(part)
  return at < 0 ? undefined : text.slice(0, at) + other + text.slice(at + part.length)
}

const encoded = (path: string): string =>
  path
    .split('/')
    .map((segment) => encodeURIComponent(decodeValue(segment) ?? segment))
    .join('/')

/** The query without the parameters of the link, with its "?". */
function othersOf(attempt: Attempt): string {
  const others = piecesOf(attempt.url).filter(({ name }) => !isOwn(attempt, name))
  return others.length > 0 ? `?${others.map(({ text }) => text).join('&')}` : ''
}

function withoutQuery(text: string, attempt: Attempt, which: number): string | undefined {
  const query = othersOf(attempt)
  if (which === 0) return replacedIn(text, query, '')
  if (which === 1) return replacedIn(text, query.slice(1), '')
  // The text after a question mark, up to the end of its line.
  return text.includes('?') ? text.replace(/\?[^\n]*/, '') : undefined
}

const addressForms: readonly Rewrite[] = [
  (text, { ip }) => (ip === undefined ? undefined : replacedIn(text, printAddress(ip), ip)),
  (text, { ip }) => (ip?.includes(':') ? undefined : replacedIn(text, ip, `::ffff:${ip}`)),
  (text, { ip }) => (ip?.includes(':') ? replacedIn(text, printAddress(ip), ip.toUpperCase()) : undefined),
  (text, { ip }) => (ip?.includes(':') ? replacedIn(text, printAddress(ip), uncompressed(ip)) : undefined),
  (text, { ip }) => (ip?.includes(':') ? replacedIn(text, printAddress(ip), `[${printAddress(ip)}]`) : undefined),
]

/** All eight groups, of four digits each. */
function uncompressed(ip: string): string | undefined {
  const [front = '', back] = (printAddress(ip) ?? '').split('::')
  const groups = (part: string) => part.split(':').filter(Boolean)
  const missing = back === undefined ? 0 : 8 - groups(front).length - groups(back).length
  const all = [...groups(front), ...Array<string>(Math.max(missing, 0)).fill('0'), ...groups(back ?? '')]
  return all.length === 8 ? all.map((group) => group.padStart(4, '0')).join(':') : undefined
}
