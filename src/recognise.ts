// recognise: which of all the schemes made this link, and until when, without a key. Decided by the set of parameters and their looks.
import type { Claims } from './core/conditions.ts'
import type { Unverified } from './core/inspect.ts'

// What a rule reads; whatever is empty, zero or no date is left out, but for the expiry.
type Said = { readonly [K in keyof Claims]?: Claims[K] | false | '' | null | undefined } & { readonly scheme?: string }
/** A parameter's value, decoded; empty when it is not there. What a `+` in it stands for is `+`, unless said. */
type Get = (name: string, spaced?: boolean) => string
/** `undefined`: it is no link of this scheme after all. */
type Say = (get: Get, path: string) => Said | undefined
type Rule = readonly [
  scheme: string,
  /** What every link of the scheme has, and how it looks. The first one marks it. */
  needs: Readonly<Record<string, RegExp>>,
  /** The parameter with the expiry in seconds, if need be absent, or how to read it. */
  expires: string | Say,
  /** What else is the scheme's own. */
  own?: RegExp | undefined,
  /** The parameter with the key's id. */
  keyId?: string,
]

const ANY = /./s
const HEX64 = /^[\da-f]{64}$/i
// Seconds have at most eleven digits: longer ones are milliseconds, taken for seconds by mistake.
const DIGITS = /^\d{1,11}$/
const STAMP = /^\d{8}T\d{6}Z$/
const ISO = /^\d{4}(-\d\d){2}(T\d\d:.*(Z|[+-]\d\d:\d\d))?$/

// Where a link carries no expiry, its `expires` is a date that is none.
const at = (seconds: unknown): Date => new Date((typeof seconds !== 'object' && (seconds as number) * 1000) || Number.NaN)
const iso = (text: string): Date => new Date(ISO.test(text) ? text : Number.NaN)
// Origin, path and query, as `split` of lib/text.ts takes them apart; one expression is smaller, and the origin of a path is empty.
const PARTS = /^([a-z][a-z\d+.-]*:\/\/[^/?#\\@\s]+|(?=\/))([^?#]*)(\?[^#]*)?/i
const prefixOf = (url: string): string => PARTS.exec(url)?.[2] ?? ''
// `/videos/*` is a prefix; other patterns are none.
const below = (pattern: string): string => /^([^*?!]*\/)\*$/.exec(pattern)?.[1] ?? ''

function attempt(read: (text: string) => string, text: string): string {
  try {
    return read(text)
  } catch {
    return ''
  }
}

// A value without its escapes; empty when one of them is none.
const plain = (value: string): string => (value.includes('%') ? attempt(decodeURIComponent, value) : value)
// Base64url as text, of which only ASCII is of interest here.
const text = (base64url: string): string => attempt(atob, base64url.replaceAll('-', '+').replaceAll('_', '/'))
// biome-ignore lint/suspicious/noExplicitAny: whatever somebody wrote
const json = (base64url: string): any => attempt(JSON.parse, text(base64url)) ?? ''

// `20260101T000000Z`, and how long from then.
const amazon =
  (start: string, life: string, credential: string): Say =>
  (get) => {
    const date = get(start)
    const digits = (from: number): number => +date.slice(from, from + 2)
    return {
      expires: new Date(Date.UTC(+date.slice(0, 4), digits(4) - 1, digits(6), digits(9), digits(11), digits(13) + +get(life))),
      keyId: get(credential).split('/', 1)[0],
    }
  }

const google: Say = (get) => ({ expires: at(get('Expires')), prefix: prefixOf(text(get('URLPrefix'))) })

// One line for each scheme. When several match, those count that need the most parameters.
const RULES: readonly Rule[] = [
  [
    'hmac',
    { signature: /^(.{43}){1,2}$/, expires: DIGITS },
    (get) => ({
      expires: at(get('expires')),
      starts: at(get('starts')),
      methods: get('method').match(/[A-Z-]+/g),
      ip: get('net') && `/${get('net')}`,
      prefix: get('prefix'),
      uses: +get('uses'),
      id: get('id'),
    }),
    /^(starts|method|net|prefix|uses|id)$/,
    'key',
  ],
  // Libraries of PichaX forget the id.
  [
    'pichax',
    { signature: HEX64, key: ANY, expires: DIGITS },
    (get) => ({ expires: at(get('expires')), id: get('id', true) }),
    /^id$/,
    'key',
  ],
  ['laravel', { signature: HEX64 }, 'expires'],
  ['nginx', { md5: /^[\w-]{22}(==)?$/ }, 'expires'],
  ['nginx', { md5: ANY, expires: DIGITS }, 'expires'],
  [
    'nginx-hmac',
    { st: /^[\w/+-]{22,}={0,2}$/, ts: ANY },
    (get) => {
      const ts = get('ts')
      const starts = DIGITS.test(ts) ? at(ts) : iso(ts)
      return +starts && DIGITS.test(get('e') || '0') ? { expires: at(+get('e') && +starts / 1000 + +get('e')) } : undefined
    },
    /^e$/,
  ],
  [
    's3',
    { 'X-Amz-Signature': HEX64, 'X-Amz-Date': STAMP, 'X-Amz-Expires': DIGITS, 'X-Amz-Credential': /\/s3[\w-]*\/aws4_request$/ },
    amazon('X-Amz-Date', 'X-Amz-Expires', 'X-Amz-Credential'),
    /^X-Amz-/,
  ],
  ['s3', { AWSAccessKeyId: ANY, Signature: ANY, Expires: DIGITS }, 'Expires', undefined, 'AWSAccessKeyId'],
  [
    'gcs',
    { 'X-Goog-Signature': ANY, 'X-Goog-Date': STAMP, 'X-Goog-Expires': DIGITS },
    amazon('X-Goog-Date', 'X-Goog-Expires', 'X-Goog-Credential'),
    /^X-Goog-/,
  ],
  ['gcs', { GoogleAccessId: ANY, Signature: ANY, Expires: DIGITS }, 'Expires', undefined, 'GoogleAccessId'],
  [
    'azure',
    { sig: ANY, sv: /^\d{4}-\d\d-\d\d$/ },
    (get) => {
      const expires = iso(get('se'))
      const can = (letters: RegExp, method: string): string[] => (letters.test(get('sp')) ? [method] : [])
      const methods = [...can(/d/, 'DELETE'), ...can(/[rl]/, 'GET'), ...can(/[acw]/, 'PUT')]
      return +expires || (get('si') && !get('se'))
        ? { expires, starts: iso(get('st')), methods: methods.length > 0 && methods, ip: get('sip') }
        : undefined
    },
    /^(s([eitprs]|ip|rt|pr|dd|es|k[tesv]|\w+id)|rsc.)$/,
  ],
  ['cloudfront', { 'Key-Pair-Id': ANY, Signature: ANY, Expires: DIGITS }, 'Expires', /^Hash-A/, 'Key-Pair-Id'],
  [
    'cloudfront',
    { 'Key-Pair-Id': ANY, Signature: ANY, Policy: ANY },
    (get) => {
      // Base64 with three characters of CloudFront's own.
      const { Resource, Condition } = json(get('Policy').replaceAll('_', '').replaceAll('~', '_')).Statement?.[0] ?? {}
      const time = (name: string): Date => at(Condition?.[name]?.['AWS:EpochTime'])
      const ip = Condition?.IpAddress?.['AWS:SourceIp']
      const expires = time('DateLessThan')
      const prefix = typeof Resource === 'string' && prefixOf(below(Resource))
      return +expires ? { expires, starts: time('DateGreaterThan'), ip: typeof ip === 'string' && ip, prefix } : undefined
    },
    /^Hash-A/,
    'Key-Pair-Id',
  ],
  ['google-cloud-cdn', { KeyName: ANY, Signature: /^[\w-]{27}=?$/, Expires: DIGITS }, google, /^URLP/, 'KeyName'],
  ['media-cdn', { KeyName: ANY, Signature: /^[\w-]{86}(==)?$/, Expires: DIGITS }, google, /^URLP/, 'KeyName'],
  ['oss', { OSSAccessKeyId: ANY, Signature: ANY, Expires: DIGITS }, 'Expires', undefined, 'OSSAccessKeyId'],
  ['cloudflare', { verify: /^\d{10,}-[\w+/-]{43}=?$/ }, ''],
  ['cloudflare', { sig: HEX64, exp: DIGITS }, 'exp'],
  // In seconds or in milliseconds.
  ['bytescale', { sig: /^1\.\w+\.[\w-]+$/, exp: /^(\d{10}(\d{3})?|inf)$/ }, (get) => ({ expires: at(get('exp').slice(0, 10)) })],
  [
    'bunny',
    { token: /^((HS256-(1-)?)?[\w-]{43}|[\w-]{22})$/, expires: DIGITS },
    (get) => ({ expires: at(get('expires')), prefix: get('token_path') }),
    /^(token_.+|limit)$/,
  ],
  ['keycdn', { token: /^[\w-]{22}$/, expire: DIGITS }, 'expire'],
  ['fastly', { token: /^\d{10,11}_[\da-f]{40}$/ }, (get) => ({ expires: at(get('token').slice(0, -41)) })],
  [
    'jwt',
    { token: /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/ },
    (get, path) => {
      const { exp, nbf } = json(get('token').split('.')[1] as string)
      return { scheme: path.startsWith('/storage/v1/') ? 'supabase' : 'jwt', expires: at(exp), starts: at(nbf) }
    },
  ],
  ['imgix', { s: /^[\da-f]{32}$/ }, 'expires'],
  ['imagekit', { 'ik-s': /^[\da-f]{40}$/ }, 'ik-t'],
  ['symfony', { _hash: /^[\w+/-]{4,44}=?$/ }, '_expiration'],
]

// The same for links that carry their signature in the path. The first group is the expiry, if any.
const PATHS: readonly (readonly [scheme: string, shape: RegExp])[] = [
  ['cloudinary', /\/s--(?:[\w-]{8}|[\w-]{32})--\//],
  ['thumbor', /^\/[\w-]{27}=\//],
  ['imgproxy', /^\/[\w-]{43}(?=\/(?:plain\/|[a-z_]+(?::|%3A)))(?:.*?\/exp(?:ires)?(?::|%3A)(\d{1,11})\/)?/],
]

// By the parameter that marks them, with their needs as a list: looking through an object takes longer.
type Marked = readonly [rule: Rule, needs: readonly (readonly [name: string, shape: RegExp])[]]
const MARKED: ReadonlyMap<string, Marked[]> = /* @__PURE__ */ (() => {
  const marked = new Map<string, Marked[]>()
  for (const rule of RULES) {
    const needs = Object.entries(rule[1])
    const [[first]] = needs as [[string, RegExp]]
    marked.set(first, [...(marked.get(first) ?? []), [rule, needs]])
  }
  return marked
})()

/** What is said, as far as it is said. */
function unverified(scheme: string, resource: string, said: Said, keyId?: string): Unverified {
  const claims: Record<string, unknown> = { resource }
  for (const name in said) {
    const value = said[name as 'starts']
    if (name === 'expires' || (value && name !== 'scheme' && (name !== 'starts' || +value))) claims[name] = value
  }
  if (keyId) claims['keyId'] = keyId
  return { scheme: said.scheme ?? scheme, unverified: claims as unknown as Claims }
}

// Akamai's form, which four vendors use: `name=exp=1767229200~acl=/*~hmac=…`, in the query or in the path.
const FIELD = /^(\w+=|FullPath$)/

function composite(url: string, mark: number): Unverified | Unverified[] | undefined {
  const fields = url.slice(0, mark).split('~')
  // Backwards, because what is in front of the token can hold anything.
  let from = fields.length - 1
  while (from > 0 && FIELD.test(fields[from] as string)) from--
  const [opening = '', before, name, first = ''] = /([?&/;])([\w.-]+)=((?:\w+=)?[^=]*)$/.exec(fields[from] as string) ?? ['']
  const [hmac] = /^~hmac=[\da-f]{32,64}/i.exec(url.slice(mark)) ?? ['']
  const more = fields.slice(from + 1)
  const get: Get = (field) => plain([first, ...more].find((one) => one.startsWith(`${field}=`))?.slice(field.length + 1) ?? '')
  const media = get('Expires')
  const seconds = media || get('exp')
  if (!hmac || !DIGITS.test(seconds)) return
  const acl = get('acl')
  const after = url.slice(mark + hmac.length)
  const start = url.slice(0, mark - [opening, ...more].join('~').length)
  const one = (scheme: string): Unverified =>
    unverified(scheme, start + (before === '?' && after ? `?${after.slice(1)}` : after), {
      expires: at(seconds),
      starts: at(get('st') || get('Starts')),
      ip: get('ip'),
      prefix: media ? prefixOf(text(get('URLPrefix'))) : below(acl),
      id: get('id') || get('SessionID'),
    })
  if (media) return one('media-cdn')
  if (name === '__cld_token__') return one('cloudinary')
  // Uploadcare's are Akamai's with these two fields and that name.
  if (name !== 'token' || more[1] || !/^\/([\da-f-]{36}\/|\*)/.test(acl)) return one('akamai')
  return /^https?:\/\/[^/]*\.ucarecd/.test(url) ? one('uploadcare') : [one('akamai'), one('uploadcare')]
}

/**
 * Tells which scheme made a link and what the link says, without a key, without any crypto, and without asking anybody.
 *
 * It knows the links of all schemes here, and those that browsers meet besides. What is no link of these gives `undefined`; what two
 * vendors write in the same way gives the list. Anybody can have written what it reads: good for timers and for showing, for nothing else.
 *
 * A link that carries no expiry (`si=` of Azure, `verify=` of Cloudflare, or one that never ends) has an `expires` that is an invalid date:
 * it is neither before nor after any moment, and `isNaN` of it is true. An expiry that is there and cannot be read makes it no link. Of
 * parameters that stand there several times the first one counts.
 *
 * @param url - Any text or URL.
 * @returns One reading, several of them, or `undefined`.
 *
 * @example
 * ```ts
 * import { recognise } from 'securelink/recognise'
 *
 * const seen = recognise('https://h.example/a.jpg?Expires=1900000000&KeyName=k&Signature=AAAAAAAAAAAAAAAAAAAAAAAAAAA=')
 * if (seen && !Array.isArray(seen)) console.log(seen.scheme, seen.unverified.expires) // google-cloud-cdn 2030-03-17T17:46:40.000Z
 * ```
 */
export function recognise(url: string | URL): Unverified | Unverified[] | undefined {
  const whole = String(url)
  const [link, origin = '', first, query = ''] = PARTS.exec(whole) ?? ['']
  let path = first || '/'
  // Longer texts are no links, as everywhere here.
  if (!link || path[0] !== '/' || whole.length > 16_384) return
  const mark = link.indexOf('~hmac=')
  if (mark > 0) return composite(link, mark)

  const names: string[] = []
  const pieces: string[] = []
  const values: string[] = []
  const rules: Marked[] = []
  // Two schemes put their parameters into the first segment of the path; the query is then all the page's own.
  const [inPath, ours] = /^\/(?:(expires)|bcdn_token)=[^/]*/.exec(path) ?? []
  const end = ours ? ',' : '&'
  const own = (inPath?.replace('bcdn_', '').replaceAll('~', '%') ?? query) + end
  if (inPath) path = path.slice(inPath.length) || '/'
  for (let from = 1, to = own.indexOf(end, 1); to > 0; from = to + 1, to = own.indexOf(end, from)) {
    const piece = own.slice(from, to)
    if (!piece) continue
    const mark = piece.indexOf('=')
    const name = mark < 0 ? piece : plain(piece.slice(0, mark))
    const marked = MARKED.get(name)
    if (marked && !names.includes(name)) rules.push(...marked)
    names.push(name)
    pieces.push(piece)
    values.push(plain(piece.slice(mark + 1)))
  }
  // The first of several counts, as with NGINX.
  const get: Get = (name, spaced) => {
    const at = names.indexOf(name)
    return spaced ? plain((pieces[at] ?? '').replace(/^[^=]*=/, '').replaceAll('+', '%20')) : (values[at] ?? '')
  }
  let found: Unverified[] = []
  let most = 0
  for (const [[scheme, wants, expires, more, keyId], needs] of rules) {
    if (needs.length < most || !needs.every(([name, shape]) => shape.test(get(name)))) continue
    const said =
      typeof expires === 'function'
        ? expires(get, path)
        : (!names.includes(expires) || DIGITS.test(get(expires))) && { expires: at(get(expires)) }
    if (!said) continue
    if (needs.length > most) found = []
    most = needs.length
    let rest = ''
    for (const [i, name] of names.entries()) {
      if (!(name === expires || name === keyId || more?.test(name) || Object.hasOwn(wants, name))) rest += `${rest ? '&' : '?'}${pieces[i]}`
    }
    found.push(unverified(scheme, origin + path + (inPath ? query : rest), said, keyId && get(keyId)))
  }
  if (most) return found[1] ? found : found[0]

  for (const [scheme, shape] of PATHS) {
    const match = shape.exec(path)
    if (match) return unverified(scheme, origin + path + query, { expires: at(match[1]) })
  }
  return
}
