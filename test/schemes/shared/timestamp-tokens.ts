// The tests that Alibaba's and Tencent's tokens have in common.
import { expect } from 'vitest'
import { inspect, type Scheme, sign, verify } from '../../../src/index.ts'
import { oddTexts, randomly, tampered } from './tamper.ts'

const at = { now: () => new Date('2030-01-01T00:00:00Z') }

const covered = (claims: { readonly resource: string; readonly expires: Date } | undefined) => [
  claims?.resource.replace(/^https?:\/\/[^/]*/, ''),
  Number(claims?.expires),
]

/** One changed character, at every place of a link: it is refused, or it is in the host or in parameters that are not covered. */
export async function expectCovered(links: Scheme, path: string): Promise<void> {
  const link = await sign(links, `https://app.example${path}`, { expires: '24h' }, at)
  const { claims } = await verify(links, link, at)
  for (const { changed } of tampered(link)) {
    const verdict = await verify(links, changed, at)
    if (verdict.ok) expect([...covered(verdict.claims), changed]).toEqual([...covered(claims), changed])
  }
}

/** Texts that no signer wrote are refused, and nothing throws. */
export async function expectRefused(links: Scheme, pieces: readonly string[], count: number): Promise<void> {
  for (const text of oddTexts([...pieces, 'https://app.example'], count, randomly(7))) {
    inspect(links, text)
    expect((await verify(links, text, at)).ok, text).toBe(false)
  }
}
