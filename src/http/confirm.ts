// confirm: one-time links that mail scanners cannot burn. GET shows a page with a button, and only POST spends a use.
import { insist } from '../core/errors.ts'
import type { UseStore } from '../core/redeem.ts'
import type { Scheme } from '../core/scheme.ts'
import { type VerifyOptions, verify } from '../core/verify.ts'
import type { GuardOptions, Handler } from './guard.ts'
import { checkNames } from './names.ts'
import { problem, refusal } from './refusal.ts'
import { notSent } from './request-target.ts'
import { spend } from './spend.ts'

/** The words of the page, as plain text. */
export interface ConfirmWords {
  /** Language of these words. Default: `'en'`. */
  readonly language?: string
  /** Default: `'Open your link'`. */
  readonly title?: string
  /** Default: `'This link works only once. Press the button to use it.'`. */
  readonly text?: string
  /** Default: `'Continue'`. */
  readonly button?: string
}

/** Options of {@link confirm}. */
export interface ConfirmOptions<Rest extends unknown[] = unknown[]> extends Omit<GuardOptions<Rest>, 'store'> {
  /** Who has used which link. */
  readonly store: UseStore
  /** Where to go on to once the link has been redeemed; or give a `handler`. */
  readonly redirect?: string | URL
  /** Answers once the link has been redeemed. */
  readonly handler?: Handler<Rest>
  readonly words?: ConfirmWords
}

const STYLE =
  ':root{color-scheme:light dark;font:1.1rem/1.5 system-ui,sans-serif}body{max-width:32rem;margin:15vh auto;padding:0 1rem}button{font:inherit;padding:.6rem 1.4rem}'
// The hash of that text; a test compares them.
const POLICY = `default-src 'none'; style-src 'sha256-4bI4eOS9pzvMODeRw2L98kgnQI/m+p+DiVP3K3Pb3h0='; base-uri 'none'; frame-ancestors 'none'`

const HEADERS = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-robots-tag': 'noindex' }

/**
 * Makes a fetch handler for one-time links that are sent by mail or chat. `GET` shows a page with a button, and spends nothing: mail scanners,
 * previews and prefetches see that page. The button sends a `POST`, which redeems the link and then runs the handler, or goes on to an address.
 *
 * The form posts to the page's own address, so a link needs no `method`: both visits count as `GET`. Some scanners press buttons, too; where
 * that matters, give the link more than one use, or write a page that asks for something that only the person knows and then calls `redeem`.
 *
 * @returns A fetch handler. A refused link is answered as by `guard`, and a store that fails with 503.
 * @throws A `LinkError`: `bad_option` without `store`, without either `redirect` or `handler`, or for an option that there is not.
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
  const { store, redirect, handler, words = {}, ip: addressOf, refuse, ...shared } = options ?? {}
  insist(typeof scheme?.check === 'function', 'confirm takes a scheme, such as hmac(keys)')
  insist(typeof store?.take === 'function', 'confirm takes { store }: an object with take(id, until, uses)')
  insist(!redirect !== !handler, 'confirm takes either { redirect }, an address to go on to, or { handler }')
  // The header would throw only when the use has been consumed.
  insist(!redirect || /^[!-~]+$/.test(`${redirect}`), 'redirect takes an address of plain characters, without spaces')
  insist(!addressOf || typeof addressOf === 'function', 'ip takes a function that answers with the address of the visitor')
  checkNames('confirm', shared, ['revoked', 'now', 'tolerance'])
  const page = pageOf(words)

  return async (request, ...rest) => {
    const { method } = request
    // The form's POST opens what a GET would.
    const visit: VerifyOptions = { ...shared, ip: addressOf?.(request, ...rest), method: 'GET' }
    if (method === 'GET' || method === 'HEAD') {
      const verdict = notSent(request, scheme) ?? (await verify(scheme, request, visit))
      if (!verdict.ok && verdict.reason !== 'needs_redeem') return refuse ? refuse(verdict, request, ...rest) : refusal(verdict, method)
      const headers = { ...HEADERS, 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY }
      return new Response(method === 'HEAD' ? null : page, { headers })
    }
    if (method !== 'POST') return problem(405, 'This address takes GET and POST.', {}, method, { allow: 'GET, HEAD, POST' })
    const verdict = notSent(request, scheme) ?? (await spend(scheme, request, visit, store))
    if (verdict instanceof Response) return verdict
    if (!verdict.ok) return refuse ? refuse(verdict, request, ...rest) : refusal(verdict, method)
    return handler
      ? handler(request, verdict.claims, ...rest)
      : new Response(null, { status: 303, headers: { ...HEADERS, location: String(redirect) } })
  }
}

function pageOf({
  language = 'en',
  title = 'Open your link',
  text = 'This link works only once. Press the button to use it.',
  button = 'Continue',
}: ConfirmWords): string {
  const plain = (words: string) => words.replace(/[&<>"]/g, (odd) => `&#${odd.charCodeAt(0)};`)
  // No script: a form without an action posts to the page's own address, which is the link. The link itself stands nowhere in the page.
  return `<!doctype html>
<html lang="${plain(language)}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${plain(title)}</title>
<style>${STYLE}</style>
<main>
<h1>${plain(title)}</h1>
<p>${plain(text)}</p>
<form method="post"><button>${plain(button)}</button></form>
</main>
</html>
`
}
