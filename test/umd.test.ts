// The CDN files in real browsers: as a plain <script>, as a module, and on a page without crypto.subtle.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { built, root } from './built.ts'
import { find, leftOut } from './prepare.mjs'
import { inBrowser } from './runtimes/browser.mjs'

// Signs, verifies, refuses and reads, and logs a line for each.
const use = `
  const links = hmac({ id: 'a', secret: 'a secret of 32 bytes or more, from a vault' })
  const link = await sign(links, 'https://h.test/x y?q=|^', { expires: '10m', ip: '203.0.113.0/24' })
  const verdict = await verify(links, new URL(link), { ip: '203.0.113.9' })
  log('verified ' + verdict.ok + ' ' + verdict.claims?.resource)
  log('refused ' + (await verify(links, link + '0', { ip: '203.0.113.9' })).reason)
  log('read ' + inspect(hmac([]), link)?.unverified.keyId)
  log('picture ' + (await sign(pichax({ id: 'px', secret: 's' }), '/x', { expires: new Date(1900000000000), id: '7' })))
`
const used = [
  'verified true https://h.test/x%20y?q=%7C%5E',
  'refused malformed',
  'read a',
  // printf '7:1900000000' | openssl dgst -sha256 -hmac s
  'picture /x?id=7&expires=1900000000&key=px&signature=b983d5d208106d360dd0b642612a4948e6fa533aa92d2ac9ad5232a09a705632',
]

const umd = `<script src="/umd.js"></script><script>
  log('globals ' + typeof SecureLink + ' ' + ['e', 't', 'n', 'exports', 'module'].filter((name) => name in window && !before.includes(name)))
  const { hmac, inspect, pichax, sign, verify } = SecureLink
  ;(async () => { ${use} })().then(done, bail)
</script>`

const esm = `<script type="importmap">{ "imports": { "securelink": "/min.js" } }</script><script type="module">
  import { hmac, inspect, pichax, sign, verify } from 'securelink'
  ;(async () => { ${use} })().then(done, bail)
</script>`

// A page that is served over plain http has crypto, and not crypto.subtle.
const plain = `<script>Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined })</script><script src="/umd.js"></script><script>
  const { hmac, inspect, LinkError, sign, verify } = SecureLink
  const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })
  const link = 'https://h.test/x?expires=1900000000&signature=' + 'A'.repeat(43)
  const code = (error) => String(error instanceof LinkError && error.code)
  ;(async () => {
    log('sign ' + (await sign(links, '/x', { expires: '10m' }).catch(code)))
    log('verify ' + (await verify(links, link).catch(code)))
    log('unsigned ' + (await verify(links, 'https://h.test/x')).reason)
    log('read ' + inspect(hmac([]), link).unverified.expires.toISOString())
  })().then(done, bail)
</script>`

describe.each(['chromium', 'firefox', 'webkit'] as const)('%s', (browser) => {
  let files: Record<string, Uint8Array>
  beforeAll(async () => {
    await built()
    files = { '/umd.js': readFileSync(join(root, 'dist/securelink.umd.js')), '/min.js': readFileSync(join(root, 'dist/securelink.min.js')) }
  }, 120_000)

  test.skipIf(!find(browser))(
    `signs and verifies, by script and by module, and says when it cannot${find(browser) ? '' : `; ${leftOut(browser)}`}`,
    async () => {
      // Starting the browser three times is simpler than leading one browser from page to page.
      const before = `<script>const before = Object.getOwnPropertyNames(window)</script>`
      const lines = async (html: string) => (await inBrowser(browser, { html: before + html, files })).lines
      expect(await lines(umd)).toEqual(['globals object ', ...used])
      expect(await lines(esm)).toEqual(used)
      expect(await lines(plain)).toEqual(['sign no_webcrypto', 'verify no_webcrypto', 'unsigned unsigned', 'read 2030-03-17T17:46:40.000Z'])
    },
    300_000,
  )
})
