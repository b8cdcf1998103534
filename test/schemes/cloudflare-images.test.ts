// cloudflareImages: the example of Cloudflare's page beside it, and changes of one character at every place of its links.
import { expect, test } from 'vitest'
import { inspect, LinkError, sign, verify } from '../../src/index.ts'
import { cloudflareImages } from '../../src/schemes/cloudflare-images.ts'
import { oddTexts, randomly, tampered } from './shared/tamper.ts'

const key = { secret: 'images-signing-key-1' }
const links = cloudflareImages(key)
const at = { now: () => new Date('2030-01-01T00:00:00Z') }

const random = randomly(20261127)
const of = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
const text = (pieces: readonly string[], most: number) => Array.from({ length: 1 + random() * most }, () => of(pieces)).join('')

/** The function of Cloudflare's page. */
async function generateSignedUrl(url: URL, expiry: number): Promise<string> {
  const encoder = new TextEncoder()
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await crypto.subtle.importKey('raw', encoder.encode(key.secret), algorithm, false, ['sign'])
  url.searchParams.set('exp', `${expiry}`)
  const mac = await crypto.subtle.sign('HMAC', imported, encoder.encode(`${url.pathname}?${url.searchParams}`))
  url.searchParams.set('sig', [...new Uint8Array(mac)].map((x) => x.toString(16).padStart(2, '0')).join(''))
  return url.toString()
}

test("300 random links are those of the page's example, byte for byte", async () => {
  for (let i = 0; i < 300; i++) {
    const path = `/h/${text([...'ab1-._~()*!+,;=:@&$ü', '%20', '%C3%BC'], 10).replace(/^\.+/, '')}/w=400,sharpen=3`
    const piece = () => `${text([...'abcZ_-.*~ü', '%20', '+'], 4)}${of(['=', '=', ''])}`
    const value = () => text([...'ab1~!*()@:/?[]{}"<>^`|ü', '%20', '+', '%2B', '%26', '%C3%A4'], 6)
    const query = Array.from({ length: random() * 4 }, () => piece().replace(/=$/, () => `=${value()}`)).join('&')
    const url = `https://imagedelivery.net${path}${query && `?${query}`}`
    const expires = 1_893_456_001 + Math.floor(random() * 1e6)
    const link = await generateSignedUrl(new URL(url), expires)
    expect(await sign(links, url, { expires: new Date(expires * 1000) }, at)).toBe(link)
    expect((await verify(links, link, at)).ok).toBe(true)
  }
})

test('a URL with the parameters of a link, in any spelling, is refused', async () => {
  for (const url of ['/h/i/v?exp=1', '/h/i/v?sig=1', '/h/i/v?%65xp=1'])
    await expect(sign(links, url, { expires: '1h' }, at)).rejects.toThrow(LinkError)
})

test('one changed character, at every place of 20 links: refused, or in the host', async () => {
  const covered = (url: string | undefined) => url?.replace(/^https?:\/\/[^/]*/, '')
  for (let i = 0; i < 20; i++) {
    const url = `https://imagedelivery.net/h/id-${i}/mobile${of(['', '?download=1', '?a=1&b=2', '?q=a+b'])}`
    const link = await sign(links, url, { expires: '1h' }, at)
    const { claims } = await verify(links, link, at)
    for (const { changed } of tampered(link)) {
      const verdict = await verify(links, changed, at)
      if (!verdict.ok) continue
      expect([covered(verdict.claims.resource), +verdict.claims.expires]).toEqual([covered(claims?.resource), +(claims?.expires ?? 0)])
      expect(covered(changed)).toBe(covered(link))
    }
  }
})

test('nothing throws on any text', async () => {
  const pieces = ['exp=1900000000', 'exp', 'sig', `sig=${'0'.repeat(64)}`, 'https://imagedelivery.net', '%65xp=1']
  for (const odd of oddTexts(pieces, 3000, randomly(7))) {
    inspect(links, odd)
    expect((await verify(links, odd, at)).ok, odd).toBe(false)
  }
})
