// The page at /docs: shows openapi.json and sends requests. One file that loads nothing from elsewhere.

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 0 auto; padding: 1rem }
section { border-top: 1px solid GrayText; padding: .5rem 0 1rem }
h2 code { font-size: 1.1rem }
label { display: block; margin: .5rem 0 .2rem; font-weight: 600 }
textarea, input { box-sizing: border-box; width: 100%; font: .9rem/1.4 ui-monospace, monospace; padding: .4rem }
button { font: inherit; margin: .6rem 0; padding: .3rem 1rem }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid GrayText; padding: .5rem; margin: .4rem 0 }
table { border-collapse: collapse; font-size: .9rem } td, th { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0 }
`

// Uses plain DOM calls with text, so that neither the document nor a response can become markup.
const SCRIPT = `
const make = (tag, set = {}, ...inside) => { const one = Object.assign(document.createElement(tag), set); one.append(...inside); return one }
const show = (text) => { try { return JSON.stringify(JSON.parse(text), null, 2) } catch { return text } }
const quote = (text) => "'" + text.replaceAll("'", "'\\\\''") + "'"
const main = document.querySelector('main')
const token = document.querySelector('#token')
const api = await (await fetch('openapi.json')).json()
const shape = ({ $ref }) => api.components.schemas[$ref.split('/').at(-1)]
for (const [path, methods] of Object.entries(api.paths)) for (const [method, { summary, description = '', requestBody }] of Object.entries(methods)) {
  const name = method.toUpperCase() + ' ' + path
  const section = make('section', {}, make('h2', {}, make('code', { textContent: name })), make('p', { textContent: summary + '. ' + description }))
  section.setAttribute('aria-label', name)
  const json = requestBody?.content['application/json']
  const body = json && make('textarea', { id: 'body-' + path.slice(1), rows: 5, spellcheck: false, value: JSON.stringify(json.example, null, 2) })
  if (json) {
    const one = shape(json.schema.oneOf?.[0] ?? json.schema)
    const rows = Object.entries(one.properties).map(([field, { description }]) => make('tr', {}, make('th', { scope: 'row' }, make('code', { textContent: field }), one.required.includes(field) ? ' (required)' : ''), make('td', { textContent: description })))
    section.append(make('details', {}, make('summary', { textContent: 'Fields' }), make('table', {}, make('tbody', {}, ...rows))), make('label', { htmlFor: body.id, textContent: 'Body' }), body)
  }
  const status = make('p')
  status.setAttribute('role', 'status')
  const answer = make('pre', { hidden: true, tabIndex: 0 })
  answer.setAttribute('aria-label', 'Answer of ' + name)
  const line = make('pre', { hidden: true, tabIndex: 0 })
  line.setAttribute('aria-label', 'The same with curl')
  const button = make('button', { type: 'button', textContent: 'Send ' + name })
  button.onclick = async () => {
    const headers = { ...(body && { 'content-type': 'application/json' }), ...(token.value && { authorization: 'Bearer ' + token.value }) }
    const url = new URL('.' + path, location.href)
    status.textContent = 'Waiting…'
    try {
      const response = await fetch(url, { method, headers, body: body?.value })
      status.textContent = 'Status ' + response.status
      answer.textContent = show(await response.text())
    } catch (error) {
      status.textContent = 'No answer'
      answer.textContent = String(error)
    }
    line.textContent = 'curl ' + quote(url.href) + (body ? " -H 'content-type: application/json' -H \\"authorization: Bearer $TOKEN\\" -d " + quote(body.value) : '')
    answer.hidden = line.hidden = false
  }
  section.append(button, status, answer, line)
  main.append(section)
}
main.removeAttribute('aria-busy')
`

const page = (nonce: string) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>SecureLink</title>
<style nonce="${nonce}">${STYLE}</style>
<main aria-busy="true">
<h1>SecureLink</h1>
<p>Signs, verifies, redeems and inspects links that expire. This page is made from <a href="openapi.json">openapi.json</a>, and its buttons send real requests.</p>
<label for="token">Token</label>
<input id="token" type="password" autocomplete="off" spellcheck="false">
<noscript>This page needs JavaScript; openapi.json says the same.</noscript>
</main>
<script type="module" nonce="${nonce}">${SCRIPT}</script>
</html>
`

/** The page, with a policy that lets it run its own script and talk to its own server, and nothing else. */
export function docsPage(nonce: string): { html: string; policy: string } {
  return {
    html: page(nonce),
    policy: `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  }
}
