// Rules for links that an application's own server makes: hmac, PichaX, NGINX, Laravel, Symfony, Rails, JWT. A new rule goes into the list.
import type { Rule } from '../rule.ts'
import { ANY, base64Json, earliest, expiryFrom, HEX64, isoTime, jwtRule, SECONDS, TIME, unescaped, unixTime } from '../values.ts'

/** A value that Rails signed: base64, two dashes, a hash in hexadecimal. */
const RAILS_MESSAGE = /[/?&=]([\w+%-]+={0,2})--[\da-f]{40}([\da-f]{24})?(?![^/?&])/g

export const FRAMEWORKS: readonly Rule[] = [
  {
    vendor: 'hmac',
    // One signature, or two if the link is for one address.
    parameters: { signature: /^(.{43}){1,2}$/, expires: TIME },
    optional: /^(starts|method|net|prefix|uses|id|key)$/,
    expires: 'expires',
    read: (link) => ({
      starts: unixTime(link.text('starts')),
      methods: link.text('method').match(/[A-Z-]+/g),
      ip: link.text('net') && `/${link.text('net')}`,
      prefix: link.text('prefix'),
      uses: +link.text('uses'),
      id: link.text('id'),
      keyId: link.text('key'),
    }),
  },

  {
    vendor: 'pichax',
    parameters: { signature: HEX64, key: ANY, expires: TIME },
    // Some libraries of PichaX leave it out.
    optional: /^id$/,
    expires: 'expires',
    read: (link) => ({
      // Some write a space as `+`.
      id: unescaped(link.raw('id')?.replaceAll('+', '%20') ?? ''),
      keyId: link.text('key'),
    }),
  },

  {
    vendor: 'laravel',
    parameters: { signature: HEX64 },
    expires: 'expires',
    never: /^0+$/,
    // Without an expiry, and with one of these, it is a request of another service, such as Shopify, Binance or Filestack.
    read: (link) => (!link.raw('expires') && /[?&](policy|timestamp)=/.test(link.query) ? undefined : {}),
  },

  {
    vendor: 'symfony',
    parameters: { _hash: /^[\w+/-]{4,44}=?$/ },
    expires: '_expiration',
    never: /^0+$/,
  },

  {
    vendor: 'adonis',
    parameters: { signature: /^eyJ[\w-]+\.[\w-]{43}$/ },
    read: (link) => ({ expires: isoTime(base64Json(link.text('signature').slice(0, -44)).expiryDate) }),
  },

  {
    vendor: 'nginx',
    parameters: { md5: ANY },
    expires: 'expires',
    // The configuration decides how the hash is written. If there is an expiry, the two names suffice.
    read: (link) => (link.raw('expires') || /^[\w-]{22}(==)?$/.test(link.text('md5')) ? {} : undefined),
  },

  {
    vendor: 'nginx-hmac',
    parameters: { st: /^[\w/+-]{22,}={0,2}$/, ts: ANY },
    optional: /^e$/,
    read: (link) => {
      const ts = link.text('ts')
      const signed = expiryFrom(ts) ?? { expires: isoTime(ts) ?? 0 }
      const lifetime = link.raw('e') ?? '0'
      // The module refuses a time that is 0, and an empty lifetime.
      if (!signed.expires || !SECONDS.test(lifetime)) return
      return +lifetime ? { ...signed, expires: signed.expires + +lifetime * 1000 } : {}
    },
  },

  jwtRule('jwt', 'token'),
  jwtRule('jwt', 'jwt'),
  { ...jwtRule('supabase', 'token'), paths: /^\/storage\/v1\// },

  {
    vendor: 'rails',
    // Signed ids are a segment of the path with Active Storage, or a parameter of any name. A representation has two: for the file and its variant.
    read: ({ path, query }) => {
      const text = path + query
      // Most links have no message, and looking for one takes time.
      if (!text.includes('--')) return
      const messages = Array.from(text.matchAll(RAILS_MESSAGE), ([, message = '']) => base64Json(unescaped(message)))
      const envelopes = messages.map(({ _rails }) => _rails).filter((envelope) => envelope instanceof Object)
      // Older ones have no envelope and no expiry. Outside of Active Storage, they could be any application's.
      const isRails = (path.includes('/rails/active_storage/') ? messages : envelopes).length > 0
      return isRails ? { expires: earliest(...envelopes.map(({ exp }) => isoTime(exp))) } : undefined
    },
  },
]
