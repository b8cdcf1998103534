// Rules for links of content delivery networks, image services and social networks. A new rule goes into the list.
import type { Link, Rule } from '../rule.ts'
import {
  ANY,
  base64Json,
  base64Text,
  expiresRule,
  expiryFrom,
  HEX_TIME,
  HEX64,
  hexTime,
  jwtRule,
  pathOf,
  prefixOf,
  TIME,
  textOf,
  unixTime,
} from '../values.ts'

// imgproxy: the signature, then options such as `rs:fit:300` up to the source. A server can have all of it below a path of its own.
const IMGPROXY = /\/[\w-]{43}(\/plain|(\/[a-z_]+(:|%3a)[^/]*(\/-)?)+)\//i
const IMGPROXY_EXPIRY = /\/exp(ires)?(:|%3a)([^/]*)/gi

/** `timestamp-rand-uid-hash` */
const TIMESTAMP_TOKEN = /^\d{10}-[\da-z]*-\w+-[\da-f]{32,64}$/i

/** Links of Facebook, Instagram and WhatsApp. */
const META = {
  parameters: { oe: HEX_TIME, oh: /^[\w-]{20,}$/ },
  optional: /^_nc_/,
  read: (link: Link) => ({ expires: hexTime(link.text('oe')) }),
}

export const DELIVERY: readonly Rule[] = [
  {
    vendor: 'cloudfront',
    parameters: { 'Key-Pair-Id': ANY, Signature: ANY },
    optional: /^(Expires|Policy|Hash-Algorithm)$/,
    read: (link) => {
      // CloudFront writes base64 with `-`, `_` and `~` in place of `+`, `=` and `/`.
      const policy = link.text('Policy').replaceAll('_', '').replaceAll('~', '_')
      const { Resource, Condition } = (policy && base64Json(policy)).Statement?.[0] ?? {}
      // Links of Hugging Face repeat the expiry of their policy.
      const expiry = expiryFrom(policy ? Condition?.DateLessThan?.['AWS:EpochTime'] : link.text('Expires'))
      return (
        expiry && {
          ...expiry,
          starts: unixTime(Condition?.DateGreaterThan?.['AWS:EpochTime']),
          ip: textOf(Condition?.IpAddress?.['AWS:SourceIp']),
          prefix: pathOf(prefixOf(textOf(Resource))),
          keyId: link.text('Key-Pair-Id'),
        }
      )
    },
  },

  // The two networks of Google differ only in the signature: HMAC-SHA1 of 20 bytes, and Ed25519 of 64 bytes.
  googleRule('google-cloud-cdn', /^[\w-]{27}=?$/),
  googleRule('media-cdn', /^[\w-]{86}(==)?$/),

  // The link shows when it was signed. Its lifetime is in the rules of the zone.
  { vendor: 'cloudflare', parameters: { verify: /^\d{10,}-[\w+/-]{43}=?$/ } },
  { vendor: 'cloudflare-images', parameters: { sig: HEX64, exp: TIME }, expires: 'exp' },

  {
    vendor: 'bytescale',
    parameters: { sig: /^1\.\w+\.[\w-]+$/, exp: ANY },
    expires: 'exp',
    never: /^inf$/,
  },

  {
    vendor: 'bunny',
    parameters: { token: /^((HS256-(1-)?)?[\w-]{43}|[\w-]{22})$/, expires: TIME },
    optional: /^(token_.+|limit)$/,
    expires: 'expires',
    read: (link) => ({ prefix: link.text('token_path') }),
  },

  { vendor: 'keycdn', parameters: { token: /^[\w-]{22}$/, expire: TIME }, expires: 'expire' },

  {
    vendor: 'fastly',
    parameters: { token: /^\d{10,11}_[\da-f]{40}$/ },
    // After the expiry come a `_` and the signature.
    read: (link) => expiryFrom(link.text('token').slice(0, -41)),
  },

  { vendor: 'google-maps', parameters: { signature: /^[\w-]{27}=$/ }, paths: /^\/maps\/api\// },

  {
    vendor: 'upyun',
    parameters: { _upt: /^[\da-f]{8}\d+$/ },
    optional: /^_upp$/,
    read: (link) => expiryFrom(link.text('_upt').slice(8)),
  },

  { vendor: 'qiniu', parameters: { token: /:[\w-]{27}=$/, e: TIME }, expires: 'e' },

  // These links show when they were signed. Their lifetime is set at the network.
  { vendor: 'alibaba-cdn', parameters: { auth_key: TIMESTAMP_TOKEN } },
  { vendor: 'tencent-cdn', parameters: { sign: TIMESTAMP_TOKEN } },

  {
    vendor: 'imgix',
    parameters: { s: /^[\da-f]{32}$/ },
    expires: 'expires',
    // Forums such as vBulletin have the id of the session in `s`.
    read: ({ path }) => (/\.php$/.test(path) ? undefined : {}),
  },

  { vendor: 'imagekit', parameters: { 'ik-s': /^[\da-f]{40}$/ }, expires: 'ik-t' },

  {
    vendor: 'discord',
    parameters: { ex: HEX_TIME, is: HEX_TIME, hm: HEX64 },
    read: (link) => ({ expires: hexTime(link.text('ex')) }),
  },

  { vendor: 'facebook', ...META },
  { vendor: 'instagram', hosts: /instagram/i, ...META },
  { vendor: 'whatsapp', hosts: /whatsapp/i, ...META },

  { ...jwtRule('github', 'jwt'), hosts: /[/.]githubusercontent\.com$/i },

  // Links with their signature in the path.
  { vendor: 'cloudinary', paths: /\/s--([\w-]{8}|[\w-]{32})--\// },
  { vendor: 'thumbor', paths: /^\/[\w-]{27}=\// },
  {
    vendor: 'imgproxy',
    read: ({ path }) => {
      const options = IMGPROXY.exec(path)?.[1]
      if (!options) return
      const expiries = Array.from(options.matchAll(IMGPROXY_EXPIRY), ([, , , value = '']) => Number(TIME.exec(value)?.[0]))
      // 0 means that the link never expires.
      const first = Math.min(...expiries.filter((expiry) => expiry !== 0))
      return first === Infinity ? {} : expiryFrom(first)
    },
  },
]

function googleRule(vendor: string, signature: RegExp): Rule {
  return {
    ...expiresRule(vendor, 'KeyName', signature),
    optional: /^URLPrefix$/,
    read: (link) => ({ keyId: link.text('KeyName'), prefix: pathOf(base64Text(link.text('URLPrefix'))) }),
  }
}
