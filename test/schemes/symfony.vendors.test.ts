// symfony beside Symfony: its formula in PHP, with PHP's own parse_str, ksort and http_build_query, and UriSigner of 5.4 where Debian's package
// php-symfony-http-kernel is installed.
import { expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { symfony } from '../../src/schemes/symfony.ts'
import { find, leftOut } from '../prepare.mjs'
import { ask } from './php/ask.ts'
import { randomly } from './shared/tamper.ts'

const php = find('php') as string | undefined
const NOW = 1_767_225_600
const now = () => new Date(NOW * 1000)

interface Checked {
  readonly link: string
  readonly verdicts: readonly boolean[]
}

const seed = Number(process.env['SEED'] ?? 20261127)
const random = randomly(seed)
const of = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
const text = (pieces: readonly string[], most: number) => Array.from({ length: 1 + random() * most }, () => of(pieces)).join('')

const title = `${php ? '' : `${leftOut('php')}: `}300 random links are Symfony's byte for byte, and both give the same verdicts on changed ones (seed ${seed})`
test.skipIf(!php)(title, async () => {
  const questions = await Promise.all(
    Array.from({ length: 300 }, async () => {
      const encoding = of(['base64', 'base64', 'base64url'] as const)
      const origin = of(['https://app.example.com', 'http://localhost:8000', 'https://xn--bcher-kva.example', ''])
      const path = `/p${text([...'ab1-._~()$@;,=+!*&', '%C3%BC', '%2f', '/b'], 8)}`
      const name = () =>
        `${text([...'abcZY_', 'ü', '%C3%BC', '.', '%20', '+', '-'], 3)}${of(['', '', '[]', '[a]', '%5Bb%5D', '[3]', '[][x]', '[a][]'])}`
      const value = () => text([...'ab1~!*()\'@:/?[]{}"<>^`|ü', '%20', '+', '%ff', '%2B', '%26', '%00'], 6)
      const piece = () => `n${name()}${of(['', '=', `=${value()}`, `=${value()}`])}`
      const query = Array.from({ length: random() * 5 }, piece).join('&')
      const url = `${origin}${path}${query && `?${query}`}`
      const expires = random() < 0.6 ? NOW + Math.floor(random() * 1e6) + 1 : 0
      const key = text([...'abc:+/=0123'], 40)
      const links = symfony({ secret: key }, { encoding })
      const link = await sign(links, url, { expires: expires ? new Date(expires * 1000) : 'never' }, { now })
      const changed = Array.from({ length: 20 }, () => {
        const at = Math.floor(random() * link.length)
        const instead = of(['', 'x', '/', '&', '=', '1', '+', '%20', '.', '_', '[', ']', (link[at] as string) + link[at]])
        return link.slice(0, at) + instead + link.slice(at + 1)
      })
      return { encoding, url, expires, key, now: NOW, links: [link, ...changed] }
    }),
  )
  const answers = await ask<Checked & { old: Checked | null }>(php as string, 'symfony.php', questions)
  let same = 0
  for (const [i, { key, encoding, links }] of questions.entries()) {
    const { link, verdicts, old } = answers[i] as (typeof answers)[number]
    expect(links[0]).toBe(link)
    if (old) {
      expect(old.link).toBe(link)
      expect(old.verdicts[0]).toBe(true)
    }
    for (const [j, other] of links.entries()) {
      const { ok } = await verify(symfony({ secret: key }, { encoding }), other, { now })
      // Never laxer.
      if (ok) expect([verdicts[j], other]).toEqual([true, other])
      if (j === 0) expect(ok).toBe(true)
      if (ok === verdicts[j]) same++
    }
  }
  expect(same / (300 * 21)).toBeGreaterThan(0.95)
})
