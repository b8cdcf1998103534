// The verbs of the link service: checks the links of a request, and runs the verb on each.
import { LinkError } from '../core/errors.ts'
import { type AskedConditions, grantOf } from '../core/grant.ts'
import { inTurn } from '../core/in-turn.ts'
import { inspect } from '../core/inspect.ts'
import { redeem, type UseStore } from '../core/redeem.ts'
import type { Grant, Scheme } from '../core/scheme.ts'
import { linkOf } from '../core/sign.ts'
import { ENDLESS } from '../core/time.ts'
import type { Verdict } from '../core/verdict.ts'
import { type VerifyOptions, verify } from '../core/verify.ts'
import { complaint, invalid, json } from './answers.ts'
import type { Verb, WantedLink } from './bearer.ts'
import { dateIn } from './dates.ts'
import { VERBS } from './openapi.ts'
import { check, type FieldError, isObject, type Shape } from './shapes.ts'

/** The links that a service knows how to handle, and how it checks them. */
export interface Rules {
  /** The schemes by the names that callers choose from. */
  readonly schemes: ReadonlyMap<string, Scheme>
  readonly shapes: Readonly<Record<string, Shape>>
  readonly store: UseStore | undefined
  readonly verifyOptions: Pick<VerifyOptions, 'revoked' | 'tolerance'>
  readonly report: (error: unknown, verb: Verb) => void
}

/** One link of a request, as its shape has it. */
interface Item {
  readonly scheme?: string
  readonly url?: string
  readonly link?: string
  readonly [name: string]: unknown
}

/** The same, with its scheme looked up. */
export interface Asked extends WantedLink {
  readonly maker: Scheme
  /** To sign: the URL and its conditions, checked. */
  grant?: Grant
  expires?: Date
}

/** All links of one request. */
export interface Batch {
  readonly links: readonly Asked[]
  /** Whether the request has a list of links. The response then has one, too. */
  readonly isList: boolean
  /** The present time, in milliseconds since 1970. */
  readonly present: number
}

/** The links that a body asks for. Adds its faults to `errors`. */
export function linksOf(rules: Rules, verb: Verb, body: Record<string, unknown>, present: number, errors: FieldError[]): Batch {
  const { schemes, shapes } = rules
  const isList = Object.hasOwn(body, 'links')
  const whole = isList ? withScheme(body) : body
  const { takes } = VERBS[verb]
  errors.push(...check(shapes, shapes[isList ? `Many${takes}` : takes] as Shape, whole))
  if (errors.length > 0) return { links: [], isList, present }

  const [first = ''] = schemes.keys()
  const links: Asked[] = []
  for (const item of isList ? (whole['links'] as Item[]) : [whole as Item]) {
    const { scheme = first, url, link, ...conditions } = item
    const asked: Asked = { scheme, url: url ?? (link as string), conditions, maker: schemes.get(scheme) as Scheme }
    if (verb === 'sign') addGrant(asked, isList ? `links[${links.length}].` : '', present, errors)
    links.push(asked)
  }
  return { links, isList, present }
}

/** A scheme that is named once for the batch applies to every link that does not name one. */
function withScheme(body: Record<string, unknown>): Record<string, unknown> {
  const { scheme, links } = body
  if (typeof scheme !== 'string' || !Array.isArray(links)) return body
  return { ...body, links: links.map((link) => (isObject(link) ? { scheme, ...link } : link)) }
}

/** Checks the conditions before `authorize` is called, because `authorize` gets the expiry of each link. */
function addGrant(asked: Asked, at: string, present: number, errors: FieldError[]): void {
  // Added to the record, because copying a record takes longer than checking its conditions.
  try {
    asked.grant = grantOf(signerOf(asked), asked.url, withDates(asked.conditions) as AskedConditions, present)
    asked.expires = new Date((asked.grant.expires ?? ENDLESS) * 1000)
  } catch (error) {
    errors.push(fieldError(error, asked, at))
  }
}

/** The scheme that signs: of `anyOf`, the first. */
const signerOf = ({ maker }: Asked): Scheme => maker.schemes?.[0] ?? maker

const DATE = /^\d{4}-/

/** JSON has no dates, so strings that begin with a year become dates. */
function withDates(conditions: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { expires, starts } = conditions as { expires: string; starts?: string }
  if (!DATE.test(expires) && !DATE.test(starts ?? '')) return conditions
  const when = (text: string) => (DATE.test(text) ? dateIn(text) : text)
  return { ...conditions, expires: when(expires), ...(starts !== undefined && { starts: when(starts) }) }
}

/** Signs, verifies, redeems or inspects the links. */
export function answerTo(rules: Rules, verb: Verb, batch: Batch): Response | Promise<Response> {
  if (verb === 'sign') return signed(batch)
  return verb === 'inspect' ? inspected(batch) : verified(rules, verb, batch)
}

async function signed({ links, isList }: Batch): Promise<Response> {
  // Errors are collected instead of thrown, because one request may have several.
  const made = await inTurn(links, (asked) => linkOf(signerOf(asked), asked.grant as Grant).catch((error: unknown) => ({ error })))
  const errors: FieldError[] = []
  const expiryOf = expiries()
  const answers = made.map((link, i) => {
    const asked = links[i] as Asked
    if (typeof link === 'string') return { link, expires: expiryOf(asked, link) }
    errors.push(fieldError(link.error, asked, isList ? `links[${i}].` : ''))
    return undefined
  })
  if (errors.length > 0) return invalid(errors)
  return json(isList ? { links: answers } : answers[0])
}

/**
 * The expiry that a link shows. It can differ from the one that was asked for: a link ends with its key, and some formats have no seconds. The expiry
 * that was asked for is the answer for a link that shows none.
 */
function expiries(): (asked: Asked, link: string) => string {
  // Most links of a batch have the same expiry, and reading it takes time.
  const last: { scheme?: Scheme; time: number; text: string } = { time: Number.NaN, text: '' }
  return (asked, link) => {
    const scheme = signerOf(asked)
    const wanted = asked.expires as Date
    if (scheme !== last.scheme || +wanted !== last.time) {
      const shown = inspect(scheme, link.replace(/#.*/s, ''))?.unverified.expires ?? wanted
      Object.assign(last, { scheme, time: +wanted, text: shown.toISOString() })
    }
    return last.text
  }
}

function inspected({ links, isList }: Batch): Response {
  const answers = links.map(({ maker, url }) => inspect(maker, url) ?? { unverified: null })
  return json(isList ? { links: answers } : answers[0])
}

async function verified({ store, verifyOptions, report }: Rules, verb: Verb, { links, isList, present }: Batch): Promise<Response> {
  const now = () => new Date(present)
  const failures: unknown[] = []
  const verdicts = await inTurn(links, async ({ maker, url, conditions }): Promise<Verdict | null> => {
    // The answer is already a 503, and each further call would wait for a store that hangs.
    if (failures.length > 0) return null
    const options: VerifyOptions = { ...verifyOptions, ...conditions, now }
    try {
      return await (verb === 'redeem' ? redeem(maker, url, { ...options, store: store as UseStore }) : verify(maker, url, options))
    } catch (error) {
      failures.push(error)
      return null
    }
  })
  if (failures.length === 0) return json(isList ? { verdicts } : verdicts[0])
  report(failures[0], verb)
  // Otherwise the caller could never find out which uses were consumed.
  const more = isList && verb === 'redeem' ? { verdicts } : {}
  return complaint(503, 'This cannot be answered now; try again later.', { more })
}

const CALLERS_MISTAKES = ['bad_option', 'unsupported_condition', 'already_signed']
// Options that the caller of the service cannot set.
const OPERATORS_OPTIONS = ['keys', 'secret', 'now']

/** A mistake of the caller as an error of one field. Any other error is thrown again. */
function fieldError(error: unknown, { maker, conditions }: Asked, at: string): FieldError {
  const own = maker.own?.find((name) => name !== 'id' && conditions[name] !== undefined)
  if (error instanceof LinkError) {
    const { code, option = 'url', message } = error
    if (!CALLERS_MISTAKES.includes(code) || OPERATORS_OPTIONS.includes(option)) throw error
    // An option of the scheme's, such as its region, contradicts the URL.
    const isField = ['url', 'expires', ...maker.carries, ...(maker.own ?? [])].includes(option) || conditions[option] !== undefined
    return { field: at + (isField ? option : 'url'), detail: `${message}.` }
  }
  // The scheme's own conditions can be any JSON, and a scheme may throw another error for a kind that it does not expect.
  if (own === undefined) throw error
  return { field: at + own, detail: `${own} must be as ${maker.name} links take it.` }
}
