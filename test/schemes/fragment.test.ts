// A URL with a fragment: clients keep it and do not send it. The link is valid without it, or sign refuses the URL with a sentence.
import { expect, test } from 'vitest'
import { type Conditions, LinkError, type Scheme, sign, verify } from '../../src/index.ts'
import { schemes } from '../conformance/vectors/index.ts'

const FRAGMENT = '#part'

test.each(schemes.map((entry) => [entry.vectors.scheme, entry] as const))('%s', async (_name, { make, vectors }) => {
  let signed = 0
  for (const { keys, options, tests } of vectors.testGroups) {
    // The first links of each group that sign makes and that are valid.
    const chosen = tests.filter(
      ({ url, signedAt, result, visit }) => url && signedAt && result === 'ok' && !url.includes('#') && !visit.url,
    )
    for (const { url, conditions, signedAt, visit } of chosen.slice(0, 3)) {
      const ring = [keys].flat().map(({ starts, expires, ...key }) => ({
        ...key,
        ...(starts && { starts: new Date(starts) }),
        ...(expires && { expires: new Date(expires) }),
      }))
      const scheme = make(ring as never, options) as Scheme
      const dates = Object.entries({ ...conditions }).map(([name, value]) => [
        name,
        /^\d{4}-.*Z$/.test(`${value}`) && /^(starts|expires)$/.test(name) ? new Date(value as string) : value,
      ])
      const asked = Object.fromEntries(dates) as Conditions<never>
      const link = await sign(scheme, `${url}${FRAGMENT}`, asked, { now: () => new Date(signedAt as string) }).catch((error) => error)
      signed++
      if (link instanceof LinkError) {
        expect(link).toMatchObject({ code: 'bad_option', option: 'url' })
        continue
      }
      const { now, redeemed: _, ...facts } = visit as unknown as Record<string, never>
      const sent = (link as string).replace(/#.*/, '')
      const verdict = await verify(scheme, sent, { ...facts, now: () => new Date(`${now}`) })
      expect([url, verdict.reason]).toEqual([url, undefined])
      expect([url, (link as string).endsWith(FRAGMENT)]).toEqual([url, true])
    }
  }
  expect(signed).toBeGreaterThan(0)
})
