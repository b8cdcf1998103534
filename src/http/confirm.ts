// confirm: one-time links that mail scanners cannot use up. GET shows a page with a button, and only POST consumes a use.
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { UseStore } from '../core/redeem.ts'
import { assertScheme, type Scheme } from '../core/scheme.ts'
import { type VerifyOptions, verify } from '../core/verify.ts'
import { assertAddressOf, assertStore, climbing, type GuardOptions, type Handler, VERB_OPTIONS, verbOptions } from './admission.ts'
import { consume } from './consume.ts'
import { isMisplaced } from './misplaced.ts'
import { type Page, pageResponse } from './page.ts'
import { answerRefusal, assertRefusalOptions, assertText, type Refusal, type RefusalWords } from './refusal.ts'

/** The words of the pages of {@link confirm}, as plain text. */
export interface ConfirmWords extends RefusalWords {
  /** The title of the page with the button. Default: `'Open your link'`. */
  readonly title?: string
  /** The text above the button. Default: `'This link works only once. Press the button to use it.'`. */
  readonly text?: string
  /** The label of the button. Default: `'Continue'`. */
  readonly button?: string
}

/** Options of {@link confirm}: those of `guard`, and the next page or a handler. */
export interface ConfirmOptions<Rest extends unknown[] = unknown[]> extends Omit<GuardOptions<Rest>, 'store' | 'words'> {
  /** Remembers which links were used. */
  readonly store: UseStore
  /** The address to redirect to once the use is consumed. Give this or a `handler`. */
  readonly redirect?: string | URL
  /** Answers once the use is consumed. */
  readonly handler?: Handler<Rest>
  /** The words of the page with the button, and of the pages for refused requests. */
  readonly words?: ConfirmWords
}

const OPTIONS = [...VERB_OPTIONS, 'ip', 'refuse', 'words', 'store', 'redirect', 'handler']
const WORDS = ['title', 'text', 'button', 'language', 'refused']

/**
 * Makes a fetch handler for one-time links that are sent by mail or chat. A `GET` does not consume a use: people, mail scanners, previews and
 * prefetches get a page with a button. The button sends a `POST`, which consumes a use and then runs the handler, or redirects to an address.
 *
 * The form posts to the page's own address, so a link needs no `method`: both requests count as `GET`. The button is disabled after the first
 * click, because a double click would consume the use and then show that the link has been used. Some scanners press buttons, too. If that matters,
 * give the link more than one use, or write a page that asks for something only the person knows, and then calls `redeem`.
 *
 * @param scheme - The scheme and keys that links were signed with; `anyOf` for several.
 * @param options - The store, the next page or a handler, the words of the pages, and the options of `guard`.
 * @returns A fetch handler. Refused requests are answered as by `guard`, including requests with other methods (405) and while the store fails (503).
 * @throws A `LinkError` `bad_option` without `store`, without either `redirect` or `handler`, and for a wrong or unknown option.
 *
 * @example
 * ```ts
 * import { hmac, sign } from 'securelink'
 * import { confirm } from 'securelink/guard'
 * import { memoryStore } from 'securelink/stores/memory'
 *
 * const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
 * const fetch = confirm(links, { store: memoryStore(), redirect: 'https://app.example/welcome' })
 *
 * const link = await sign(links, 'https://app.example/invite', { expires: '7d', uses: 1 })
 * console.log((await fetch(new Request(link))).status) // 200
 * console.log((await fetch(new Request(link, { method: 'POST' }))).status) // 303
 * console.log((await fetch(new Request(link, { method: 'POST' }))).status) // 410
 * ```
 */
export function confirm<Rest extends unknown[] = []>(
  scheme: Scheme,
  options: ConfirmOptions<Rest>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  assertScheme(scheme)
  assertConfirmOptions(options)
  const { store, redirect, handler, words = {}, ip: addressOf } = options
  const shared = verbOptions(options)
  const page = pageOf(words)

  /** Verifies the link of a GET, or consumes a use for a POST. The link opens the form's POST as if it were a GET. */
  function judge(request: Request, rest: Rest) {
    const visit: VerifyOptions = { ...shared, ip: addressOf?.(request, ...rest), method: 'GET' }
    return request.method === 'POST' ? consume(scheme, request, visit, store) : verify(scheme, request, visit)
  }

  return async (request, ...rest) => {
    if (isMisplaced(request, rest, 'confirm')) return undefined as never
    const { method } = request
    const refuse = (refusal: Refusal) => answerRefusal(refusal, options, request, rest)
    if (!METHODS.includes(method)) return refuse({ ok: false, reason: 'wrong_method', status: 405 })
    const verdict = climbing(request, scheme) ?? (await judge(request, rest))
    // GET does not query the store, so a link whose uses are consumed still gets the button.
    if (method !== 'POST' && (verdict.ok || verdict.reason === 'needs_redeem')) return pageResponse(page, method)
    if (!verdict.ok) return refuse(verdict)
    return handler ? handler(request, verdict.claims, ...rest) : redirection(redirect as string | URL)
  }
}

const METHODS = ['GET', 'HEAD', 'POST']

function assertConfirmOptions<Rest extends unknown[]>(options: ConfirmOptions<Rest>): void {
  assertOption(typeof options === 'object' && options !== null, 'options', 'an object such as { store, redirect }, as the second argument')
  assertKnownOptions(options, OPTIONS, 'confirm()')
  assertRefusalOptions(options, WORDS, 'confirm()')
  const { store, redirect, handler, ip, words = {} } = options
  for (const name of ['title', 'text', 'button'] as const) assertText(words[name], name)
  assertOption(words.button !== '', 'button', 'text that is not empty')
  assertStore(store)
  assertAddressOf(ip)
  assertOption((redirect === undefined) !== (handler === undefined), 'redirect', 'given, or else handler: one of the two')
  assertOption(handler === undefined || typeof handler === 'function', 'handler', 'a function (request, claims) => Response')
  // Checked here, because an invalid header would throw after the use is consumed.
  const good = redirect === undefined || /^[!-~]+$/.test(`${redirect}`)
  assertOption(good, 'redirect', 'an address of visible ASCII characters, such as the href of a URL')
}

function pageOf({
  language = 'en',
  title = 'Open your link',
  text = 'This link works only once. Press the button to use it.',
  button = 'Continue',
}: ConfirmWords): Page {
  return { language, title, text, button }
}

function redirection(address: string | URL): Response {
  const headers = { location: `${address}`, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-robots-tag': 'noindex' }
  return new Response(null, { status: 303, headers })
}
