// Every scheme of the folder with its vectors.
import entries from 'virtual:schemes'
import type { Reason, Scheme } from '../../../src/index.ts'

/** A vector file, as schema.json describes it. */
export interface Vectors {
  readonly scheme: string
  readonly numberOfTests: number
  readonly notes: Readonly<Record<string, object>>
  /**
   * The parameters of its links that the signature covers, and the signature; or an expression for what in a link it does not cover. One
   * changed character of the rest makes a refusal.
   */
  readonly covered: readonly string[] | { readonly allBut: string }
  /** What its links can be answered with. Each has a vector. */
  readonly reasons: readonly string[]
  readonly testGroups: readonly Group[]
}

export interface Group {
  readonly options: object
  readonly keys: readonly { readonly id?: string; readonly secret: string; readonly starts?: string; readonly expires?: string }[]
  readonly inspectOnly?: true
  readonly tests: readonly Vector[]
}

export interface Vector {
  readonly id: number
  readonly comment: string
  readonly flags: readonly string[]
  readonly url?: string
  readonly conditions?: { readonly expires: string; readonly starts?: string }
  readonly signedAt?: string
  readonly canonical?: string
  readonly text?: string
  readonly link: string
  readonly anyOrder?: true
  readonly visit: {
    readonly url?: string
    readonly method?: string
    readonly ip?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly now: string
    readonly tolerance?: string
    readonly revoked?: true
    readonly redeemed?: number
  }
  readonly result: 'ok' | Reason
  readonly claims?: Readonly<Record<string, unknown>>
}

/** A scheme's factory, and its vectors. */
export interface Entry {
  make(keys: unknown, options?: object): Scheme
  readonly vectors: Vectors
}

/** In JSON, dates are text: the members `starts` and `expires` of objects inside of options become dates, as in stored access policies. */
function revived(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      typeof member === 'string' && /^(starts|expires)$/.test(name) && /^\d{4}-/.test(member) ? new Date(member) : revived(member),
    ]),
  )
}

export const schemes: readonly Entry[] = entries.map(({ make, vectors }) => ({
  make: (keys, options = {}) => make(keys, revived(options)),
  vectors,
}))
