// Profiles for schemes that have none in profiles.ts: their keys, options, URLs and conditions are those of their conformance vectors.
//
// They compare `claims.resource` with the URL that was signed, because the facts of a scheme do not tell where its token stands. A profile that
// is written by hand compares the request itself.
import schemes from 'virtual:schemes'
import { generic } from './generic.ts'
import { type Check, different, type Key, type Profile, starts, targetParts } from './profile.ts'
import type { Random } from './random.ts'
import { bytesOf, targetOf } from './readings.ts'

/** What this needs of a vector. */
interface Example {
  readonly url?: string
  readonly conditions?: Readonly<Record<string, unknown>>
}

const isPlain = (key: object): boolean => Object.values(key).every((value) => typeof value === 'string')
const isTime = (name: string): boolean => ['expires', 'starts', 'align'].includes(name)

/** One profile for each scheme whose name is not among these, from the first group of its vectors that signs something. */
export function profilesFromVectors(written: ReadonlySet<string>): readonly Profile[] {
  return schemes.flatMap(({ make, vectors }) => {
    if (written.has(vectors.scheme)) return []
    for (const { options, keys, tests } of vectors.testGroups) {
      const examples = (tests as readonly Example[]).filter(({ url, conditions }) => url !== undefined && conditions !== undefined)
      const ring = keys as readonly object[] as readonly Key[]
      if (examples.length === 0 || !ring.every(isPlain)) continue
      return [profileOf(vectors.scheme, (keys) => make(keys, options), ring, examples, options ?? {})]
    }
    return []
  })
}

/** A path as servers that decode and merge slashes read it. */
const merged = (path: string): string => bytesOf(path).replace(/\/{2,}/g, '/')

/** The parameters of a query, in any order. */
const form = (query = ''): string => JSON.stringify([...new URLSearchParams(`&${query}`)].map((pair) => pair.join('\0')).sort())

/** Links of some vendors always have a start, so only a start that was asked for is compared. */
const begins: Check = (issued, visit, claims, verifier) => {
  if (issued.conditions['starts'] !== undefined) return starts(issued, visit, claims, verifier)
  return claims.starts !== undefined && visit.now + visit.tolerance * 1000 < +claims.starts && 'early'
}

function profileOf(
  name: string,
  make: (keys: readonly Key[]) => unknown,
  keys: readonly Key[],
  examples: readonly Example[],
  options: object,
) {
  // The URL of a link is compared in claims, so the fields that it has are not compared again.
  const resource: Check = ({ profile, url }, _visit, claims) => {
    const [granted, named] = [targetOf(url), targetParts(claims.resource)]
    const { covers } = profile.scheme
    const isSamePath = merged(granted.path) === merged(named.path)
    if (covers.includes('path') && claims.prefix === undefined && !isSamePath) return 'claims.resource path'
    return different(!covers.includes('query') || form(granted.query) === form(named.query), 'claims.resource query')
  }
  return generic({
    label: `${name} (vectors)`,
    make,
    keys,
    options,
    urls: (random: Random) => random.pick(examples).url as string,
    conditions: (random: Random) => {
      const { conditions = {} } = random.pick(examples)
      return Object.fromEntries(Object.entries(conditions).filter(([name]) => !isTime(name)))
    },
    fields: { path: () => undefined, query: () => undefined, starts: begins },
    signatureLength: 'read',
    always: [resource],
    ownResource: true,
  })
}
