// anyOf: several schemes as one, for the time of a migration.
import type { Condition } from './conditions.ts'
import { LinkError } from './errors.ts'
import { LONGEST } from '../lib/url.ts'
import type { Proof, Reading, Scheme, Visit } from './scheme.ts'

interface AnyReading extends Reading {
  readonly readings: readonly (Reading & { readonly scheme: Scheme })[]
}

/**
 * Several schemes as one: the first one signs, all verify. Changing schemes is editing a list, as rotating keys is; the verdict's `scheme` says
 * which one a link was made with.
 *
 * A link that several of them can read is checked against each in turn, and is good when one of the signatures is.
 *
 * @param first - Signs, and verifies.
 * @param others - Verify only.
 * @throws A `LinkError`: `bad_option` for what is no scheme.
 *
 * @example
 * ```ts
 * import { anyOf, hmac, sign } from 'securelink'
 * import { pichax } from 'securelink/schemes/pichax'
 *
 * const links = anyOf(hmac({ secret: 'a secret of 32 bytes or more, from a vault' }), pichax({ id: 'key', secret: 'old' }))
 * const link = await sign(links, 'https://cdn.example/report.pdf', { expires: '10m' }) // an hmac link
 * ```
 */
export function anyOf<C extends Condition, Own extends object>(first: Scheme<C, Own>, ...others: readonly Scheme[]): Scheme<C, Own> {
  const schemes: readonly Scheme[] = [first as unknown as Scheme, ...others]
  if (!schemes.every((scheme) => typeof scheme?.read === 'function'))
    throw new LinkError('bad_option', 'anyOf takes schemes, such as hmac(keys)')
  return {
    name: `anyOf(${schemes.map(({ name }) => name).join()})`,
    carries: first.carries,
    ...(first.own && { own: first.own }),
    covers: first.covers,
    seal: (grant) => first.seal(grant),

    read(url: string): AnyReading | 'unsigned' | 'malformed' {
      const readings: AnyReading['readings'][number][] = []
      let refusal: 'unsigned' | 'malformed' = 'unsigned'
      // Or each of the schemes would look at all of it, for nothing: no link is so long.
      if (url.length > LONGEST) return 'malformed'
      for (const scheme of schemes) {
        const reading = scheme.read(url)
        if (reading === 'malformed') refusal = reading
        // What another anyOf has read are several readings, each with a scheme of its own.
        if (typeof reading === 'object') readings.push(...((reading as AnyReading).readings ?? [{ ...reading, scheme }]))
      }
      const [likeliest] = readings
      return likeliest ? { ...likeliest, readings } : refusal
    },

    async check({ readings }: AnyReading, visit: Visit): Promise<Proof | 'bad_signature' | 'unknown_key'> {
      let refusal: 'bad_signature' | 'unknown_key' = 'unknown_key'
      for (const reading of readings) {
        const proof = await reading.scheme.check(reading, visit)
        if (proof === 'bad_signature') refusal = proof
        if (typeof proof === 'object' || proof === true) return { reading, ...(proof === true ? undefined : proof) }
      }
      return refusal
    },
  }
}
