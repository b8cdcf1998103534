// Rules for links that an application's own server made: the house scheme, PichaX, NGINX and its module, Laravel, Symfony, Rails, JWT.
import type { Rule } from '../rule.ts'
import {
  ANY,
  base64Json,
  earliest,
  end,
  endIn,
  HEX64,
  isoTime,
  JWT,
  jwtTimes,
  optionalEndIn,
  SECONDS,
  TIME,
  unescaped,
  unixTime,
} from '../values.ts'

const hmac: Rule = {
  vendor: 'hmac',
  // One signature, or two when the link holds for an address.
  parameters: { signature: /^(.{43}){1,2}$/, expires: TIME },
  optional: /^(starts|method|net|prefix|uses|id|key)$/,
  read: (link) => ({
    ...endIn('expires')(link),
    starts: unixTime(link.text('starts')),
    methods: link.text('method').match(/[A-Z-]+/g) ?? [],
    ip: link.text('net') && `/${link.text('net')}`,
    prefix: link.text('prefix'),
    uses: +link.text('uses'),
    id: link.text('id'),
    keyId: link.text('key'),
  }),
}

// Libraries of PichaX forget the id.
const pichax: Rule = {
  vendor: 'pichax',
  parameters: { signature: HEX64, key: ANY, expires: TIME },
  optional: /^id$/,
  read: (link) => ({
    ...endIn('expires')(link), // A form's `+` is a space.
    id: unescaped(link.raw('id')?.replaceAll('+', '%20') ?? ''),
    keyId: link.text('key'),
  }),
}

// PHP takes '0' for false, so Laravel does not look at that expiry.
const laravel: Rule = {
  vendor: 'laravel',
  parameters: { signature: HEX64 },
  optional: /^expires$/,
  read: optionalEndIn('expires', { zeroIsNever: true }),
}

const symfony: Rule = {
  vendor: 'symfony',
  parameters: { _hash: /^[\w+/-]{4,44}=?$/ },
  optional: /^_expiration$/,
  read: optionalEndIn('_expiration', { zeroIsNever: true }),
}

// With an expiry, the names make it NGINX's, whatever the configuration writes as the hash.
const nginx: Rule = {
  vendor: 'nginx',
  parameters: { md5: ANY },
  optional: /^expires$/,
  read: (link) =>
    link.raw('expires') !== undefined || /^[\w-]{22}(==)?$/.test(link.text('md5')) ? optionalEndIn('expires')(link) : undefined,
}

const nginxHmac: Rule = {
  vendor: 'nginx-hmac',
  parameters: { st: /^[\w/+-]{22,}={0,2}$/, ts: ANY },
  optional: /^e$/,
  read(link) {
    const ts = link.text('ts')
    const start = end(ts) ?? { expires: isoTime(ts) }
    const life = link.raw('e') === undefined ? '0' : link.text('e')
    // The module refuses a time that is 0, and an empty life.
    if (!start.expires || !SECONDS.test(life)) return
    return +life === 0 ? {} : { ...start, expires: start.expires + +life * 1000 }
  },
}

const jwt = (name: string): Rule => ({ vendor: 'jwt', parameters: { [name]: JWT }, read: (link) => jwtTimes(link.text(name)) })
const supabase: Rule = { ...jwt('token'), vendor: 'supabase', paths: /^\/storage\/v1\// }

/** The message of a value that Rails signed: base64, two dashes, a hash in hexadecimal. */
function railsMessage(segment: string): string | undefined {
  // Without the parameter's name. An `=` in front of another one, or of the dashes, belongs to the base64.
  const piece = segment.replace(/^[\w%.-]*=(?=[^=-])/, '')
  const dashes = piece.lastIndexOf('--')
  return dashes > 0 && /^[\da-f]{40}([\da-f]{24})?$/.test(piece.slice(dashes + 2)) ? unescaped(piece.slice(0, dashes)) : undefined
}

// Signed ids stand in the path of Active Storage, or in a parameter of any name. A representation has two: for the file and for its variant.
const rails: Rule = {
  vendor: 'rails',
  parameters: {},
  read({ path, query }) {
    const messages = `${path}${query}`
      .split(/[/?&]/)
      .map(railsMessage)
      .filter((message) => message !== undefined)
    const envelopes = messages.map((message) => base64Json(message)._rails).filter((envelope) => envelope instanceof Object)
    // Older ones have no envelope and no end. Elsewhere than in Active Storage they could be anybody's.
    if (envelopes.length === 0 && !(messages.length > 0 && path.includes('/rails/active_storage/'))) return
    return { expires: earliest(...envelopes.map(({ exp }) => isoTime(exp))) }
  },
}

export const FRAMEWORKS: readonly Rule[] = [hmac, pichax, laravel, symfony, nginx, nginxHmac, jwt('token'), jwt('jwt'), supabase, rails]
