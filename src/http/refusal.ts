// Refusals as HTTP responses: a problem document (RFC 9457) for programs, and a page for people.
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { Reason, Refused } from '../core/verdict.ts'
import { pageResponse } from './page.ts'

/** A refusal for another reason than the link: the store failed (503), or `confirm` got a method that it does not support (405). */
export interface Unserved {
  readonly ok: false
  readonly reason: 'unavailable' | 'wrong_method'
  readonly status: 405 | 503
  /** The error that the store threw, for your log. */
  readonly error?: unknown
  readonly parameter?: undefined
  readonly claims?: undefined
}

/** Why `guard`, `confirm` or `middleware` refuses a request: the verdict on its link, or a failure on this side. */
export type Refusal = Refused | Unserved

/** The reasons of a {@link Refusal}. */
export type RefusalReason = Reason | 'unavailable'

/** What a page says, as plain text. */
export interface PageWords {
  /** The title and the heading of the page. */
  readonly title?: string
  /** What happened, and what to do next. */
  readonly text?: string
  /** A link to the next step, such as a page where people ask for a new link. */
  readonly next?: { readonly text: string; readonly url: string | URL }
}

/** The words of the pages for refused requests. */
export interface RefusalWords {
  /** The language of your words, as in the attribute `lang`. Default: `'en'`. */
  readonly language?: string
  /**
   * The page for each reason. `other` is for all reasons that are not listed, so it is enough for pages in another language.
   * Default: a title and a sentence in English.
   */
  readonly refused?: Readonly<Partial<Record<RefusalReason | 'other', PageWords>>>
}

/** Returns your own response to a refused request, or `undefined` for the default one. */
export type Refuse<Rest extends unknown[]> = (
  refusal: Refusal,
  request: Request,
  ...rest: Rest
) => Response | undefined | Promise<Response | undefined>

/** The options that say how refused requests are answered. */
export interface RefusalOptions<Rest extends unknown[]> {
  /**
   * Returns the response to a refused request, for every reason, including 405 and 503. By default, and where it returns `undefined`, the response is
   * a page if the client asks for `text/html`, as browsers do, and otherwise a problem document (RFC 9457).
   */
  readonly refuse?: Refuse<Rest>
  /** The words of these pages. Default: English. */
  readonly words?: RefusalWords
}

const TITLES: Record<number, string> = {
  400: 'Bad Request',
  403: 'Forbidden',
  405: 'Method Not Allowed',
  410: 'Gone',
  503: 'Service Unavailable',
}

// The sentences of problem documents, for programmers.
const DETAILS: Readonly<Record<RefusalReason, string>> = {
  unsigned: 'This address needs a signed link.',
  malformed: 'The link cannot be read; it may have been cut off or changed on the way.',
  unknown_key: 'The link was signed with a key that is not in use here.',
  bad_signature: 'The signature does not match; the link may have been changed on the way.',
  expired: 'The link has expired.',
  key_expired: 'The key that the link was signed with has expired.',
  too_early: 'The link is not valid yet.',
  wrong_method: 'The link is not for this method.',
  wrong_ip: 'The link is for another address.',
  wrong_path: 'The link is for another path.',
  revoked: 'The link has been revoked.',
  used: 'All uses of the link are consumed.',
  needs_redeem: 'The link has a limited number of uses, and this request cannot consume one.',
  unavailable: 'The server cannot check right now whether the link has been used; try again later.',
}

const DAMAGED = {
  title: 'This link does not work',
  text: 'A part of it may be missing or changed. Copy the whole link from the message that you got, or ask for a new one.',
}
const EXPIRED = { title: 'This link has expired', text: 'Ask for a new one where you got it.' }
const ELSEWHERE = {
  title: 'This link does not open this page',
  text: 'Open it as it stands in the message that you got, or ask for a new one.',
}

// The pages for people.
const PAGES: Readonly<Record<RefusalReason, { readonly title: string; readonly text: string }>> = {
  unsigned: {
    title: 'This page needs a link',
    text: 'The address alone does not open it. Use the whole link from the message that you got.',
  },
  malformed: DAMAGED,
  unknown_key: DAMAGED,
  bad_signature: DAMAGED,
  expired: EXPIRED,
  key_expired: EXPIRED,
  too_early: { title: 'This link is not valid yet', text: 'Try again later.' },
  wrong_method: { title: 'This link cannot be used in this way', text: 'Open it in a browser, or ask for another one.' },
  wrong_ip: { title: 'This link is for another network', text: 'Open it on the network that it was made for, or ask for a new one.' },
  wrong_path: ELSEWHERE,
  revoked: { title: 'This link is no longer valid', text: 'Ask for a new one where you got it.' },
  used: {
    title: 'This link has been used',
    text: 'If you used it a moment ago, it has worked, and you can go on. Otherwise ask for a new link where you got this one.',
  },
  needs_redeem: {
    title: 'This link was not opened',
    text: 'It can be used a limited number of times, and this was not counted. Open it again.',
  },
  unavailable: { title: 'Please try again', text: 'The link cannot be checked right now. Try again in a few minutes.' },
}

/** Checks the options at the start, because a mistake in them would otherwise show only when a request is refused. */
export function assertRefusalOptions({ refuse, words = {} }: RefusalOptions<never>, known: readonly string[], taker: string): void {
  assertOption(refuse === undefined || typeof refuse === 'function', 'refuse', 'a function that answers a refused request')
  assertOption(typeof words === 'object' && words !== null, 'words', "an object such as { language: 'de', refused }")
  assertKnownOptions(words, known, `the option words of ${taker}`)
  const { language, refused = {} } = words
  assertText(language, 'language')
  assertKnownOptions(refused, [...Object.keys(PAGES), 'other'], `the option refused of ${taker}`)
  for (const page of Object.values(refused) as PageWords[]) {
    assertOption(typeof page === 'object' && page !== null, 'refused', 'an object of pages such as { used: { title, text, next } }')
    assertKnownOptions(page, ['title', 'text', 'next'], `a page of the option refused of ${taker}`)
    assertText(page.title, 'title')
    assertText(page.text, 'text')
    const { next } = page
    // Refuses URLs that run a script.
    const leads = next === undefined || (typeof next.text === 'string' && /^(https?:|mailto:|\/)/.test(`${next.url}`))
    assertOption(leads, 'next', "an object { text, url } with a URL that starts with 'https:', 'mailto:' or '/'")
  }
}

/** Throws unless this is text, or left out. */
export function assertText(text: unknown, option: string): void {
  assertOption(text === undefined || typeof text === 'string', option, 'plain text')
}

/** The answer to a refused request: the application's own, or the default one. */
export async function answerRefusal<Rest extends unknown[]>(
  refusal: Refusal,
  { refuse, words = {} }: RefusalOptions<Rest>,
  request: Request,
  rest: Rest,
): Promise<Response> {
  const own = await refuse?.(refusal, request, ...rest)
  if (own) return own
  const { reason, status } = refusal
  // A name such as `id[…]` is text of the request, which an answer does not repeat.
  const parameter = /^[\w.-]+$/.test(refusal.parameter ?? '') ? refusal.parameter : undefined
  const headers: Record<string, string> = { vary: 'accept' }
  if (reason === 'wrong_method') headers['allow'] = allowed(refusal)
  if (!wantsPage(request.headers)) return problem(status, detailOf(refusal), { reason, parameter }, request.method, headers)
  const { language = 'en', refused = {} } = words
  const page = { language, ...PAGES[reason], ...(refused[reason] ?? refused.other) }
  return pageResponse(page, request.method, status, headers)
}

function detailOf({ reason, claims }: Refusal): string {
  return reason === 'wrong_method' && !claims ? `This address takes ${METHODS_OF_CONFIRM.join(', ')}.` : DETAILS[reason]
}

const METHODS_OF_CONFIRM = ['GET', 'HEAD', 'POST']

/** The value of the header `Allow`. `GET` implies `HEAD`. */
function allowed({ claims }: Refusal): string {
  const methods = claims ? (claims.methods ?? ['GET']) : METHODS_OF_CONFIRM
  return [...new Set(methods.flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name])))].join(', ')
}

/** Does the client ask for a page rather than JSON? A wildcard does not count, because programs send it. */
export function wantsPage(headers: Headers): boolean {
  const accept = headers.get('accept') ?? ''
  const html = qualityOf(accept, ['text/html'])
  return html > 0 && html >= qualityOf(accept, ['application/problem+json', 'application/json'])
}

/** The quality that a header `Accept` gives to one of these types, from 0 to 1 (RFC 9110, section 12.5.1). */
function qualityOf(accept: string, types: readonly string[]): number {
  let most = 0
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    if (!types.includes(type)) continue
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1'
    most = Math.max(most, Number(quality) || 0)
  }
  return most
}

/** A problem document, which is never cached. It gives the reason, and contains no part of the link. */
export function problem(status: number, detail: string, more: object = {}, method = 'GET', headers: Record<string, string> = {}): Response {
  const body = JSON.stringify({ type: 'about:blank', title: TITLES[status] ?? 'Refused', status, detail, ...more })
  return new Response(method === 'HEAD' ? null : body, {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
  })
}
