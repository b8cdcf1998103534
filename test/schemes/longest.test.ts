// Every scheme of the folder: text that is too long for a link is malformed, before anything in it is read.
import { expect, test } from 'vitest'
import type { Scheme } from '../../src/index.ts'
import { schemes } from '../conformance/vectors/index.ts'

const LONGEST = 16_384

test.each(schemes.map(({ make, vectors }) => [vectors.scheme, make, vectors] as const))(
  '%s: text that is too long for a link is malformed',
  (_name, make, vectors) => {
    const [group] = vectors.testGroups
    const scheme = make(group?.keys, group?.options) as Scheme
    const { link = '/a?' } =
      vectors.testGroups.flatMap(({ tests }) => tests as readonly { link?: string }[]).find((each) => each.link?.includes('?')) ?? {}
    const [front] = link.split('#')
    const padded = (length: number) => `${front}&a=`.padEnd(length, 'x')
    for (const tooLong of [padded(LONGEST + 1), padded(1_000_000), '/'.padEnd(LONGEST + 1, 'x')])
      expect(scheme.read(tooLong)).toBe('malformed')
  },
)
