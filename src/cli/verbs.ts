// The verbs on links: keygen, sign, verify, redeem and inspect at a terminal.
/// <reference types="node" />
import type { Claims, Conditions } from '../core/conditions.ts'
import { BASE64URL, encode } from '../lib/encoding.ts'
import { recognise } from '../recognise.ts'
import { redeem as redeemLink } from '../core/redeem.ts'
import type { Scheme } from '../core/scheme.ts'
import { sign as signLink } from '../core/sign.ts'
import type { Verdict } from '../core/verdict.ts'
import { type VerifyOptions, verify as verifyLink } from '../core/verify.ts'
import { eachLine } from './lines.ts'
import type { Io } from './main.ts'
import { dateOf, Misuse, type Options, parse, sentenceOf, type Values } from './options.ts'
import { KEYED, keysOf, SCHEME, schemeOf } from './scheme.ts'
import { storeOf } from './store.ts'

const LINES: Options = { file: { type: 'string' }, json: { type: 'boolean' } }
const text = { type: 'string' } as const
const repeated = { type: 'string', multiple: true } as const

/** Makes a key. */
export async function keygen(args: readonly string[], { stdout }: Io): Promise<number> {
  const { values, rest } = parse(args, { id: text, json: { type: 'boolean' } })
  if (rest.length) throw new Misuse('keygen takes no arguments')
  const id = `${values['id'] ?? new Date().toISOString().slice(0, 7)}`
  if (!/^[\w.-]+$/.test(id)) throw new Misuse(`--id takes letters, digits, '.', '_' and '-'`)
  const secret = encode(crypto.getRandomValues(new Uint8Array(32)), BASE64URL)
  stdout.write(values['json'] ? `${JSON.stringify({ id, secret })}\n` : `${id}:${secret}\n`)
  return 0
}

/** Makes a link of each URL. */
export async function sign(args: readonly string[], io: Io): Promise<number> {
  const { values, rest } = parse(args, {
    ...KEYED,
    ...LINES,
    expires: text,
    align: text,
    starts: text,
    method: repeated,
    ip: text,
    prefix: text,
    uses: text,
    id: text,
    condition: repeated,
    now: text,
  })
  const scheme = await schemeOf(values, await keysOf(values, io))
  const conditions = conditionsOf(values)
  const now = nowOf(values)
  let exit = 0
  await eachLine({ rest, file: fileOf(values) }, io, async (url, number) => {
    try {
      const link = await signLink(scheme, url, conditions, now)
      return values['json'] ? `${JSON.stringify({ url, link })}\n` : `${link}\n`
    } catch (error) {
      exit = 2
      io.stderr.write(`securelink sign: line ${number}: ${sentenceOf(error)}\n`)
      // An answer for every line, so that the two files stay side by side.
      return values['json'] ? `${JSON.stringify({ url, error: sentenceOf(error) })}\n` : '\n'
    }
  })
  return exit
}

function conditionsOf(values: Values): Conditions {
  const conditions: Record<string, unknown> = {}
  for (const name of ['align', 'ip', 'prefix', 'id']) if (values[name] !== undefined) conditions[name] = values[name]
  for (const name of ['expires', 'starts']) {
    const when = values[name]
    if (when !== undefined) conditions[name] = /^\d{4}-/.test(`${when}`) ? dateOf(when, `--${name}`) : when
  }
  if (values['method'] !== undefined) conditions['method'] = (values['method'] as readonly string[]).flatMap((method) => method.split(','))
  if (values['uses'] !== undefined) conditions['uses'] = Number(values['uses'])
  for (const given of (values['condition'] ?? []) as readonly string[]) {
    const [, name, json] = /^(\w+)=(.*)$/s.exec(given) ?? []
    if (name === undefined) throw new Misuse(`--condition takes name=value`)
    try {
      conditions[name] = JSON.parse(json as string)
    } catch {
      conditions[name] = json
    }
  }
  if (conditions['expires'] === undefined) throw new Misuse('sign takes --expires: a length of time such as 10m, or a date')
  return conditions as Conditions
}

const VISIT: Options = { ...KEYED, ...LINES, ip: text, method: text, header: repeated, tolerance: text, now: text }

/** Judges each link. */
export async function verify(args: readonly string[], io: Io): Promise<number> {
  const { values, rest } = parse(args, VISIT)
  return judge(values, rest, io, verifyLink)
}

/** Judges each link, and spends one use of those that have a number. */
export async function redeem(args: readonly string[], io: Io): Promise<number> {
  const { values, rest } = parse(args, { ...VISIT, store: text })
  const store = await storeOf((values['store'] ?? io.env['SECURELINK_STORE']) as string | undefined)
  try {
    // One after another: of two lines with the same link, the first is the one that opens.
    return await judge(values, rest, io, (scheme, link, options) => redeemLink(scheme, link, { ...options, store }), 1)
  } finally {
    await store.close()
  }
}

async function judge(
  values: Values,
  rest: readonly string[],
  io: Io,
  verb: (scheme: Scheme, link: string, options: VerifyOptions) => Promise<Verdict>,
  flight?: number,
): Promise<number> {
  const scheme = await schemeOf(values, await keysOf(values, io))
  const options = {
    ...nowOf(values),
    ...headersOf(values),
    ...Object.fromEntries(['ip', 'method', 'tolerance'].flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]]))),
  } as VerifyOptions
  let exit = 0
  const work = async (link: string): Promise<string> => {
    const verdict = await verb(scheme, link, options)
    if (!verdict.ok) exit = 1
    if (values['json']) return `${JSON.stringify(verdict)}\n`
    return verdict.ok ? `ok ${verdict.scheme} until ${verdict.claims.expires.toISOString()}\n` : `refused ${verdict.reason}\n`
  }
  await eachLine({ rest, file: fileOf(values) }, io, work, flight)
  return exit
}

/** Says what each link says. */
export async function inspect(args: readonly string[], io: Io): Promise<number> {
  const { values, rest } = parse(args, { ...SCHEME, ...LINES, now: text })
  const scheme = await schemeOf(values, [])
  const now = nowOf(values).now?.() ?? new Date()
  let exit = 0
  await eachLine({ rest, file: fileOf(values) }, io, async (link) => {
    const reading = scheme.read(link)
    if (typeof reading === 'string') {
      exit = 1
      // The default was not asked for, so whoever has another kind of link gets to know which.
      const [other] = values['scheme'] === undefined ? [recognise(link) ?? []].flat() : []
      const hint = other && other.scheme !== scheme.name ? `; it looks like one of '${other.scheme}'` : ''
      return values['json'] ? `${JSON.stringify({ reason: reading })}\n` : `${reading}: ${NO_LINK[reading]} '${scheme.name}'${hint}\n`
    }
    const { name, covers } = reading.scheme ?? scheme
    const left = Math.floor((+reading.claims.expires - +now) / 1000)
    if (values['json']) return `${JSON.stringify({ scheme: name, unverified: reading.claims, secondsLeft: left, covers })}\n`
    return describe(name, reading.claims, covers, left)
  })
  return exit
}

const NO_LINK = {
  unsigned: 'it has none of the parameters of the scheme',
  malformed: 'it has parameters that cannot be read, of the scheme',
}

function describe(scheme: string, claims: Claims, covers: readonly string[], left: number): string {
  const rows: [string, string][] = [
    ['scheme', scheme],
    ['opens', claims.prefix === undefined ? claims.resource : `everything below ${claims.prefix}`],
    ['expires', `${claims.expires.toISOString()} (${left > 0 ? `in ${duration(left)}` : `${duration(-left)} ago`})`],
  ]
  if (claims.starts) rows.push(['starts', claims.starts.toISOString()])
  rows.push(['method', claims.methods?.join(', ') ?? 'GET, HEAD'])
  if (claims.ip)
    rows.push([
      'address',
      claims.ip.startsWith('/') ? `one network of ${claims.ip.slice(1)} bits; the link does not show which` : claims.ip,
    ])
  if (claims.uses) rows.push(['uses', `${claims.uses}`])
  if (claims.id) rows.push(['id', claims.id])
  if (claims.keyId) rows.push(['key', claims.keyId])
  rows.push(['covered', covers.join(', ')])
  const missing = ['path', 'query', 'method', 'origin'].filter((part) => !covers.some((covered) => covered.includes(part)))
  rows.push(['not covered', missing.join(', ') || 'nothing of the above'], ['', 'nothing here is verified'])
  return `${rows.map(([name, value]) => `${name.padEnd(12)}${printable(value)}`.trimEnd()).join('\n')}\n\n`
}

// What a link says goes to a terminal, which obeys control characters.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this looks for
const printable = (value: string): string => value.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd')

function duration(seconds: number): string {
  const units = { d: 86_400, h: 3600, m: 60, s: 1 }
  let left = Math.abs(seconds)
  const parts: string[] = []
  for (const [unit, size] of Object.entries(units)) {
    if (left >= size) parts.push(`${Math.floor(left / size)}${unit}`)
    left %= size
  }
  return parts.slice(0, 2).join(' ') || '0s'
}

function headersOf(values: Values): { headers?: Headers } {
  const given = values['header'] as readonly string[] | undefined
  if (!given) return {}
  const headers = new Headers()
  for (const line of given) {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+): *([\t -~]*)$/.exec(line) ?? []
    if (name === undefined || value === undefined) throw new Misuse('--header takes a name and a value, such as content-type: image/png')
    headers.append(name, value)
  }
  return { headers }
}

function nowOf(values: Values): { now?: () => Date } {
  const date = dateOf(values['now'], '--now')
  return date ? { now: () => date } : {}
}

const fileOf = (values: Values): string | undefined => values['file'] as string | undefined
