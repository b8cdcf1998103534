// Without WebCrypto every scheme that needs it throws a LinkError that says so, also where it hashes or imports keys by itself.
import { afterEach, expect, test, vi } from 'vitest'
import { type Conditions, LinkError, type Scheme, sign, verify } from '../../src/index.ts'
import { type Group, schemes, type Vector } from '../conformance/vectors/index.ts'

afterEach(() => vi.unstubAllGlobals())

const dated = ({ starts, expires, ...others }: { starts?: string; expires?: string }) => ({
  ...others,
  ...(starts && { starts: new Date(starts) }),
  ...(expires && { expires: expires === 'never' ? expires : new Date(expires) }),
})

/** The name of the error that a call throws, with its code. */
async function thrown(call: () => Promise<unknown>): Promise<string> {
  try {
    await call()
  } catch (error) {
    return error instanceof LinkError ? error.code : `${error}`
  }
  return 'nothing'
}

function signing(scheme: Scheme, { url, conditions, signedAt }: Vector) {
  return sign(scheme, url as string, dated(conditions as object) as Conditions<never>, { now: () => new Date(signedAt as string) })
}

function verifying(scheme: Scheme, { link, visit: { url = link, now, ...request } }: Vector) {
  return verify(scheme, url, { ...request, now: () => new Date(now) } as object)
}

/** One vector of every group with a link that opens. */
const GROUPS = schemes.flatMap(({ make, vectors }) =>
  vectors.testGroups.flatMap((group) => {
    const vector = group.inspectOnly ? undefined : group.tests.find(({ result, visit }) => result === 'ok' && visit.redeemed === undefined)
    return vector ? [{ name: vectors.scheme, make, group, vector }] : []
  }),
)
const keysOf = ({ keys }: Group) => keys.map(dated)

// The schemes that hash with MD5 do not need WebCrypto.
const WITHOUT = ['nothing', 'no_webcrypto']

test.each(GROUPS)('$name', async ({ make, group, vector }) => {
  vi.stubGlobal('crypto', undefined)
  if (vector.conditions) expect(WITHOUT).toContain(await thrown(() => signing(make(keysOf(group), group.options), vector)))
  expect(WITHOUT).toContain(await thrown(() => verifying(make(keysOf(group), group.options), vector)))
})

test('most schemes need it', async () => {
  vi.stubGlobal('crypto', undefined)
  const needing = new Set<string>()
  for (const { name, make, group, vector } of GROUPS)
    if ((await thrown(() => verifying(make(keysOf(group), group.options), vector))) === 'no_webcrypto') needing.add(name)
  expect(needing.size).toBeGreaterThan(30)
})
