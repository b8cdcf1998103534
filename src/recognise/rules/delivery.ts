// Rules for links of content delivery networks, image services and social networks.
import type { Link, Rule } from '../rule.ts'
import {
  ANY,
  base64Json,
  base64Text,
  earliest,
  end,
  endIn,
  expiresRule,
  HEX_TIME,
  HEX64,
  hexTime,
  JWT,
  jwtTimes,
  optionalEndIn,
  pathOf,
  prefixOf,
  TIME,
  unixTime,
} from '../values.ts'

const cloudFrontCanned: Rule = { ...expiresRule('cloudfront', 'Key-Pair-Id'), optional: /^Hash-Algorithm$/ }

const cloudFrontPolicy: Rule = {
  vendor: 'cloudfront',
  parameters: { 'Key-Pair-Id': ANY, Signature: ANY, Policy: ANY },
  optional: /^Hash-Algorithm$/,
  read(link) {
    // Base64 with three characters of CloudFront's own.
    const policy = base64Json(link.text('Policy').replaceAll('_', '').replaceAll('~', '_'))
    const { Resource, Condition } = policy.Statement?.[0] ?? {}
    const time = (name: string): unknown => Condition?.[name]?.['AWS:EpochTime']
    const ending = end(time('DateLessThan'))
    const ip: unknown = Condition?.IpAddress?.['AWS:SourceIp']
    return (
      ending && {
        ...ending,
        starts: unixTime(time('DateGreaterThan')),
        ip: typeof ip === 'string' ? ip : undefined,
        prefix: typeof Resource === 'string' ? pathOf(prefixOf(Resource)) : undefined,
        keyId: link.text('Key-Pair-Id'),
      }
    )
  },
}

/** The two networks of Google differ in the length of the signature alone. */
function googleRule(vendor: string, signature: RegExp): Rule {
  const rule = expiresRule(vendor, 'KeyName', signature)
  return {
    ...rule,
    optional: /^URLPrefix$/,
    read: (link) => ({ ...rule.read(link), prefix: pathOf(base64Text(link.text('URLPrefix'))) }),
  }
}
// HMAC-SHA1, of 20 bytes.
const googleCloudCdn = googleRule('google-cloud-cdn', /^[\w-]{27}=?$/)
// Ed25519, of 64 bytes.
const mediaCdn = googleRule('media-cdn', /^[\w-]{86}(==)?$/)

// The link tells when it was issued. How long it lives from then is in the rules of the zone.
const cloudflareRule: Rule = { vendor: 'cloudflare', parameters: { verify: /^\d{10,}-[\w+/-]{43}=?$/ }, read: () => ({}) }
const cloudflareImages: Rule = { vendor: 'cloudflare', parameters: { sig: HEX64, exp: TIME }, read: endIn('exp') }

const bytescale: Rule = {
  vendor: 'bytescale',
  parameters: { sig: /^1\.\w+\.[\w-]+$/, exp: /^(\d{10}(\d{3})?|inf)$/ },
  read: (link) => (link.text('exp') === 'inf' ? {} : end(link.text('exp'))),
}

const bunny: Rule = {
  vendor: 'bunny',
  parameters: { token: /^((HS256-(1-)?)?[\w-]{43}|[\w-]{22})$/, expires: TIME },
  optional: /^(token_.+|limit)$/,
  read: (link) => ({ ...endIn('expires')(link), prefix: link.text('token_path') }),
}

const keyCdn: Rule = { vendor: 'keycdn', parameters: { token: /^[\w-]{22}$/, expire: TIME }, read: endIn('expire') }

const fastly: Rule = {
  vendor: 'fastly',
  parameters: { token: /^\d{10,11}_[\da-f]{40}$/ },
  read: (link) => end(link.text('token').split('_', 1)[0]),
}

// `timestamp-rand-uid-hash`. The link tells when it was issued; how long it lives from then is set at the network.
const alibabaCdn: Rule = { vendor: 'alibaba-cdn', parameters: { auth_key: /^\d{10}-[\da-z]+-\w+-[\da-f]{32}$/i }, read: () => ({}) }

const imgix: Rule = {
  vendor: 'imgix',
  parameters: { s: /^[\da-f]{32}$/ },
  optional: /^expires$/,
  read: optionalEndIn('expires'),
}

const imageKit: Rule = {
  vendor: 'imagekit',
  parameters: { 'ik-s': /^[\da-f]{40}$/ },
  optional: /^ik-t$/,
  read: optionalEndIn('ik-t'),
}

const discord: Rule = {
  vendor: 'discord',
  parameters: { ex: HEX_TIME, is: HEX_TIME, hm: HEX64 },
  read: (link) => ({ expires: hexTime(link.text('ex')) }),
}

const meta = {
  parameters: { oe: HEX_TIME, oh: /^[\w-]{20,}$/ },
  optional: /^_nc_/,
  read: (link: Link) => ({ expires: hexTime(link.text('oe')) }),
}
const facebook: Rule = { vendor: 'facebook', ...meta }
const instagram: Rule = { vendor: 'instagram', hosts: /instagram/i, ...meta }

const github: Rule = {
  vendor: 'github',
  hosts: /[/.]githubusercontent\.com$/i,
  parameters: { jwt: JWT },
  read: (link) => jwtTimes(link.text('jwt')),
}

const cloudinary: Rule = {
  vendor: 'cloudinary',
  paths: /\/s--(?:[\w-]{8}|[\w-]{32})--\//,
  parameters: {},
  read: () => ({}),
}

const thumbor: Rule = { vendor: 'thumbor', paths: /^\/[\w-]{27}=\//, parameters: {}, read: () => ({}) }

// The signature, then options such as `rs:fit:300` up to the source. A server can have all of it below a path of its own.
const IMGPROXY_SIGNATURE = /\/[\w-]{43}\/(?=plain\/|[a-z_]+(?::|%3a))/i
const imgproxy: Rule = {
  vendor: 'imgproxy',
  parameters: {},
  read({ path }) {
    const signature = IMGPROXY_SIGNATURE.exec(path)
    if (!signature) return
    const ends: (number | undefined)[] = []
    for (const option of path.slice(signature.index + signature[0].length).split('/')) {
      const [name = '', value] = option.split(/:|%3a/i)
      // The source has begun: what follows is its address.
      if (value === undefined) break
      // 0 is no expiry.
      if (/^exp(ires)?$/.test(name) && +value !== 0) ends.push(unixTime(value))
    }
    return { expires: earliest(...ends) }
  },
}

export const DELIVERY: readonly Rule[] = [
  cloudFrontCanned,
  cloudFrontPolicy,
  googleCloudCdn,
  mediaCdn,
  cloudflareRule,
  cloudflareImages,
  bytescale,
  bunny,
  keyCdn,
  fastly,
  alibabaCdn,
  imgix,
  imageKit,
  discord,
  facebook,
  instagram,
  github,
  cloudinary,
  thumbor,
  imgproxy,
]
