// pageResponse: the HTML pages for people, with a button or for refusals. They load nothing, and contain no part of the link.

/** A page, as plain text. */
export interface Page {
  readonly language: string
  readonly title: string
  readonly text: string
  /** The button of a form that posts to the address of the page. */
  readonly button?: string | undefined
  /** A link to another page. */
  readonly next?: { readonly text: string; readonly url: string | URL } | undefined
}

const STYLE =
  ':root{color-scheme:light dark;font:1.1rem/1.5 system-ui,sans-serif}body{max-width:32rem;margin:15vh auto;padding:0 1rem}button{font:inherit;padding:.6rem 1.4rem}'

// Disables the button after a click. A second click would send the form again: the first response would be lost, and the second one would be a
// refusal, because the use is consumed. When the page is shown again from the browser's history, the button is enabled again.
const SCRIPT =
  "const[form]=document.forms,[button]=form;form.addEventListener('submit',()=>{button.disabled=true});addEventListener('pageshow',()=>{button.disabled=false})"

// The hashes of these two texts. A test compares them.
const STYLE_HASH = 'sha256-4bI4eOS9pzvMODeRw2L98kgnQI/m+p+DiVP3K3Pb3h0='
const SCRIPT_HASH = 'sha256-FGotLrfqq1PrU6m2Bdsq9EtSAC/RICBCPdgqiFqyPbc='

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex',
}
const POLICY = `default-src 'none'; style-src '${STYLE_HASH}'; base-uri 'none'`
// A page with a button must not be framed, because the outer page could trick people into pressing it.
const BUTTON_POLICY = `${POLICY}; script-src '${SCRIPT_HASH}'; frame-ancestors 'none'`

/** A response with a page. For `HEAD`, only its headers. */
export function pageResponse(page: Page, method: string, status = 200, headers: Record<string, string> = {}): Response {
  const policy = page.button ? BUTTON_POLICY : POLICY
  return new Response(method === 'HEAD' ? null : htmlPage(page), {
    status,
    headers: { ...HEADERS, 'content-security-policy': policy, ...headers },
  })
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)

function htmlPage({ language, title, text, button, next }: Page): string {
  // A form without an action posts to the page's own address, which is the link. So the page works without the script, too.
  const form = button ? `<form method="post"><button>${escaped(button)}</button></form>\n` : ''
  const link = next ? `<p><a href="${escaped(`${next.url}`)}">${escaped(next.text)}</a></p>\n` : ''
  // dir="auto" shows words in Arabic or Hebrew from right to left.
  return `<!doctype html>
<html lang="${escaped(language)}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<main dir="auto">
<h1>${escaped(title)}</h1>
<p>${escaped(text)}</p>
${form}${link}</main>
${button ? `<script>${SCRIPT}</script>\n` : ''}</html>
`
}
