// Mistakes with links of NGINX: the signer and the expression in the configuration put the fields together in different ways.
import { printAddress } from '../../lib/address.ts'
import { decodeValue, split } from '../../lib/url.ts'
import { type Attempt, SECRET_MARK } from '../attempt.ts'
import type { Mistake } from '../mistake.ts'
import { type Rule, urls, type Variant } from '../rule.ts'
import { isOwn, piecesOf, rawValue, withPath } from '../rules/parts.ts'
import type { Obstacle, Table } from '../table.ts'

/** A variable of an expression, and its value for a link. */
interface Field {
  readonly name: string
  readonly value: string
}

type Fields = (attempt: Attempt) => readonly (readonly Field[])[]

const SECRET: Field = { name: '$secret', value: SECRET_MARK }

/** A link with its token in the path. */
const IN_PATH = /^(\/[\w\-.~]+)\/([\w-]{22})={0,2}\/(\d+)(\/.*)$/

const merged = (path: string): string => (decodeValue(path) ?? path).replace(/\/{2,}/g, '/')

function uri({ url }: Attempt): Field {
  const { path } = split(url)
  const rest = IN_PATH.exec(path)?.[4]
  return rest === undefined ? { name: '$uri', value: merged(path) } : { name: '$rest', value: merged(rest) }
}

function expires({ scheme, url }: Attempt): Field | undefined {
  const inPath = IN_PATH.exec(split(url).path)?.[3]
  const value = inPath ?? (scheme.parameters[1] === undefined ? undefined : rawValue(url, scheme.parameters[1]))
  return value === undefined ? undefined : { name: '$secure_link_expires', value }
}

/** The address of the request, if there is one. */
function address({ ip }: Attempt): Field | undefined {
  return ip === undefined ? undefined : { name: '$remote_addr', value: printAddress(ip) ?? ip }
}

/** All orders of the fields. Those that are not there are left out. */
function orders(fields: readonly (Field | undefined)[]): readonly (readonly Field[])[] {
  const there = fields.filter((field) => field !== undefined)
  if (there.length < 2) return [there]
  return there.flatMap((first) => orders(there.filter((other) => other !== first)).map((others) => [first, ...others]))
}

/** Ways to join fields: a separator, and the one beside the secret. */
const JOINTS = [
  ['', ''],
  ['', ' '],
  [' ', ' '],
  [':', ':'],
  ['|', '|'],
  ['-', '-'],
  ['/', '/'],
  ['#', '#'],
  ['.', '.'],
  ['_', '_'],
  [',', ','],
] as const

/** The fields with separators between them. */
function join(fields: readonly Field[], [plain, atSecret]: (typeof JOINTS)[number], part: 'name' | 'value'): string {
  return fields.reduce((text, field, at) => {
    const separator = at === 0 ? '' : field === SECRET || fields[at - 1] === SECRET ? atSecret : plain
    // As in a configuration: a name that letters follow needs braces.
    const braced = part === 'name' && plain === '_'
    return text + separator + (braced ? field.name.replace(/^\$(\w+)$/, (_, name: string) => `$\{${name}}`) : field[part])
  }, '')
}

interface ExpressionRule {
  readonly code: string
  readonly rarity: 1 | 2 | 3
  readonly sentence: string
  readonly remedy: string
  readonly fields: Fields
}

/** A rule that tries whole expressions, and prints the line of the configuration for the one that fits. */
const expressionRule = (directive: string, { fields, ...rule }: ExpressionRule): Rule => ({
  ...rule,
  kind: 'text',
  variants(attempt) {
    const seen = new Set<string>()
    const variants: Variant[] = []
    for (const joint of JOINTS) {
      for (const order of fields(attempt)) {
        const value = join(order, joint, 'value')
        if (order.length === 0 || seen.has(value)) continue
        seen.add(value)
        const line = `${directive} "${join(order, joint, 'name')}";`
        // The verifier has no string at all without an address; a stand-in is replaced with the rest.
        variants.push({ line, patch: { ip: attempt.ip ?? '127.0.0.1', rewrite: () => value } })
      }
    }
    return variants
  },
})

const SAME_EXPRESSION = 'Write the expression of the configuration and the code of the signer alike; the line below accepts this link.'

/** The path in another form than $uri. */
const withUri =
  (change: (attempt: Attempt, field: Field) => Field | undefined, address: (attempt: Attempt) => Field | undefined): Fields =>
  (attempt) => {
    const changed = change(attempt, uri(attempt))
    return changed && changed.value !== uri(attempt).value ? orders([expires(attempt), changed, address(attempt), SECRET]) : []
  }

const none = (): undefined => undefined

const withoutSlash = (_: Attempt, { name, value }: Field): Field => ({
  name: `(${name} without its first slash)`,
  value: value.replace(/^\//, ''),
})
const raw = ({ url }: Attempt): Field => ({
  name: '(the path as it stands in the URL)',
  value: IN_PATH.exec(split(url).path)?.[4] ?? split(url).path,
})
const withQuery = (attempt: Attempt, { value }: Field): Field | undefined => {
  const others = piecesOf(attempt.url).filter(({ name }) => !isOwn(attempt, name))
  return others.length > 0
    ? { name: '$uri?(the other arguments)', value: `${value}?${others.map(({ text }) => text).join('&')}` }
    : undefined
}
const wholeUrl = ({ url }: Attempt, { value }: Field): Field | undefined =>
  split(url).origin ? { name: '$scheme://$http_host$uri', value: split(url).origin + value } : undefined
const withHost = ({ url }: Attempt, { value }: Field): Field | undefined =>
  split(url).origin ? { name: '$http_host$uri', value: split(url).origin.replace(/^.*\/\//, '') + value } : undefined

const EXPRESSIONS: readonly ExpressionRule[] = [
  {
    code: 'field_order',
    rarity: 1,
    sentence: 'The signer joins the fields in another order, or with other separators, than the expression of the verifier.',
    remedy: SAME_EXPRESSION,
    fields: (attempt) => [
      ...orders([expires(attempt), uri(attempt), address(attempt), SECRET]),
      ...orders([expires(attempt), uri(attempt), SECRET]),
    ],
  },
  {
    code: 'no_expiry',
    rarity: 2,
    sentence: 'The signer did not sign the expiry.',
    remedy: 'Sign the expiry, too. Without it in the expression, everybody can write a later one into the link.',
    fields: (attempt) => [...orders([uri(attempt), SECRET]), ...orders([uri(attempt), address(attempt), SECRET])],
  },
  {
    code: 'no_secret',
    rarity: 2,
    sentence: 'The signer left the secret out.',
    remedy: 'Hash the secret together with the other fields. Without it, everybody can make links.',
    fields: (attempt) => [...orders([expires(attempt), uri(attempt)]), ...orders([expires(attempt), uri(attempt), address(attempt)])],
  },
  {
    code: 'path_encoded',
    rarity: 1,
    sentence: 'The path was signed percent-encoded, and NGINX signs $uri, which is decoded, with doubled slashes merged.',
    remedy: 'Decode the path before signing: rawurldecode() in PHP, unquote() in Python.',
    fields: withUri(raw, none),
  },
  {
    code: 'path_without_slash',
    rarity: 1,
    sentence: 'The path was signed without its first slash, and $uri begins with one.',
    remedy: 'Sign the path with its first slash.',
    fields: withUri(withoutSlash, none),
  },
  {
    code: 'query_in_path',
    rarity: 2,
    sentence: 'The query was signed together with the path, and $uri has none.',
    remedy: 'Sign the path only, or add $arg_name to the expression for arguments that matter.',
    fields: withUri(withQuery, none),
  },
  {
    code: 'whole_url',
    rarity: 2,
    sentence: 'The whole URL was signed, or the host with the path, in place of the path.',
    remedy: 'Sign the path only.',
    fields: (attempt) => [...withUri(wholeUrl, none)(attempt), ...withUri(withHost, none)(attempt)],
  },
]

export const NGINX: Table = {
  schemes: ['nginx'],
  forms: {
    md5: '22 characters of base64url without padding: the MD5 in raw bytes, and not in hex',
    expires: 'a time in seconds since 1970',
  },
  rules: [
    ...EXPRESSIONS.map((rule) => expressionRule('secure_link_md5', rule)),
    {
      code: 'signature_padding',
      kind: 'link',
      rarity: 1,
      sentence: 'The token in the path has the padding "==" at its end.',
      remedy: 'Write base64url without padding.',
      variants: (attempt) =>
        urls(
          attempt,
          withPath(attempt.url, (path) => path.replace(/(={1,2}|(%3D){1,2})(?=\/)/i, '')),
        ),
    },
  ],
  obstacle: addressMissing,
  warnings: (attempt) => (/^[1-9]\d{12}$/.test(expires(attempt)?.value ?? '') ? [ENDLESS_MILLISECONDS] : []),
}

const ENDLESS_MILLISECONDS: Mistake = {
  code: 'milliseconds',
  sentence: 'The expiry is a time in milliseconds. NGINX takes it for seconds, so the link never expires.',
  remedy:
    'Divide by 1000 and round. In JavaScript: Math.floor(Date.now() / 1000) + lifetime. Change the secret, if such links must not open any more.',
}

const SECONDS = (attempt: Attempt, at: number): Field | undefined => {
  const name = attempt.scheme.parameters[at]
  const value = name === undefined ? undefined : rawValue(attempt.url, name)
  return value === undefined ? undefined : { name: `$arg_${name}`, value }
}

const HMAC_EXPRESSIONS: readonly ExpressionRule[] = [
  {
    code: 'field_order',
    rarity: 1,
    sentence: 'The signer joins the fields in another order, or with other separators, than the message of the verifier.',
    remedy: SAME_EXPRESSION,
    fields: (attempt) => [
      ...orders([uri(attempt), SECONDS(attempt, 1), SECONDS(attempt, 2)]),
      ...orders([uri(attempt), SECONDS(attempt, 1), SECONDS(attempt, 2), address(attempt)]),
    ],
  },
  {
    code: 'no_expiry',
    rarity: 2,
    sentence: 'The signer did not sign the timestamp or the lifetime.',
    remedy: 'Sign both. Without them in the message, everybody can make a link last longer.',
    fields: (attempt) => [...orders([uri(attempt), SECONDS(attempt, 1)]), ...orders([uri(attempt), SECONDS(attempt, 2)]), [uri(attempt)]],
  },
  {
    code: 'timestamp_encoded',
    rarity: 2,
    sentence: 'The timestamp was signed decoded, and the module signs it as it stands in the URL.',
    remedy: 'Sign the timestamp as it is sent, or write it as Unix time.',
    fields: (attempt) => {
      const time = SECONDS(attempt, 1)
      const decoded = time && { ...time, value: decodeValue(time.value.replaceAll('+', '%2B')) ?? time.value }
      return decoded && decoded.value !== time.value ? orders([uri(attempt), decoded, SECONDS(attempt, 2)]) : []
    },
  },
]

export const NGINX_HMAC: Table = {
  schemes: ['nginx-hmac'],
  forms: {
    st: 'an HMAC in base64url without padding',
    ts: 'a time in seconds since 1970, or in ISO 8601 with its zone',
    e: 'a number of seconds: how long the link is valid, and not a time',
  },
  rules: HMAC_EXPRESSIONS.map((rule) => expressionRule('secure_link_hmac_message', rule)),
  obstacle: addressMissing,
  options: (_, { algorithm = 'sha256' }) =>
    ['sha256', 'sha1', 'sha512', 'sha384'].filter((other) => other !== algorithm).map((value) => ({ option: 'algorithm', value })),
}

function addressMissing({ scheme, ip }: Attempt): Obstacle | undefined {
  if (!scheme.covers.includes('ip') || ip !== undefined) return undefined
  return {
    code: 'address_missing',
    sentence: 'The expression has $remote_addr, and the verifier did not get the address of the request.',
    remedy: 'Pass the option ip, as the server or a trusted proxy knows it.',
  }
}
