// laravel beside Laravel itself: PHP, with the framework's own classes where Debian's package php-illuminate-routing is installed.
import { expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { laravel } from '../../src/schemes/laravel.ts'
import { find, leftOut } from '../prepare.mjs'
import { ask } from './php/ask.ts'
import { randomly } from './shared/tamper.ts'

const php = find('php') as string | undefined
const NOW = 1_767_225_600
const now = () => new Date(NOW * 1000)

interface Answer {
  readonly link: string
  readonly verdicts: readonly boolean[]
  readonly formula: { readonly link: string; readonly verdicts: readonly boolean[] }
}

const seed = Number(process.env['SEED'] ?? 20261127)
const random = randomly(seed)
const of = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
const text = (characters: string, most: number) => Array.from({ length: 1 + random() * most }, () => of([...characters])).join('')

test.skipIf(!php)(
  `${php ? '' : `${leftOut('php')}: `}300 random links are Laravel's byte for byte, and both give the same verdicts on changed ones (seed ${seed})`,
  async () => {
    const questions = await Promise.all(
      Array.from({ length: 300 }, async () => {
        const absolute = random() < 0.7
        const origin = of(['https://app.example.com', 'http://localhost:8000', 'https://xn--bcher-kva.example'])
        const path = `/p${text('ab1-._~ü图 ()\'$@:;,=+!*&[]"<>`^{', 8)}${of(['', '/b', '/x.pdf'])}`
        const names = [...new Set(Array.from({ length: random() * 4 }, () => text('abcdeFGz_-', 3)))].filter((name) => name !== 'r')
        const parameters = Object.fromEntries(names.map((name) => [name, text("ab1 +&=%?#/~!*'()ü图[]:@-._", 6)]))
        const expires = random() < 0.7 ? NOW + Math.floor(random() * 1e6) + 1 : 0
        const key = text('abc:+/=0123', 40)
        const query = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
        const url = (absolute ? origin : '') + path + (query.length > 0 ? `?${query.join('&')}` : '')
        const links = laravel({ secret: key }, { absolute })
        const link = await sign(links, url, { expires: expires ? new Date(expires * 1000) : 'never' }, { now })
        const changed = Array.from({ length: 12 }, () => {
          const at = Math.floor(random() * link.length)
          const instead = of(['', 'x', '/', '&', '=', '1', '+', (link[at] as string) + link[at]])
          return link.slice(0, at) + instead + link.slice(at + 1)
        }).filter(
          (other) =>
            /^(https?:\/\/[\w.:-]+)?\/[^/][^#\\?]*\?[^?]*$/.test(other) && !/\/\//.test(other.slice(8)) && URL.canParse(other, origin),
        )
        return { absolute, origin, path, parameters, expires, key, now: NOW, links: [link, ...changed] }
      }),
    )
    const answers = await ask<Answer>(php as string, 'laravel.php', questions)
    let refused = 0
    for (const [i, question] of questions.entries()) {
      const { link, verdicts, formula } = answers[i] as Answer
      expect(question.links[0]).toBe(link)
      expect(formula).toEqual({ link, verdicts })
      const ours = await Promise.all(
        question.links.map(
          async (other) => (await verify(laravel({ secret: question.key }, { absolute: question.absolute }), other, { now })).ok,
        ),
      )
      for (const [j, ok] of ours.entries()) {
        // Never laxer.
        expect(ok && !verdicts[j], question.links[j]).toBe(false)
        if (!ok) refused++
      }
      expect(ours[0]).toBe(true)
    }
    expect(refused).toBeGreaterThan(1500)
  },
)
