// The rules for a scheme: those of its table, and those for all schemes.

import type { Scheme } from '../../core/scheme.ts'
import type { Rule, Variant } from '../rule.ts'
import type { Table } from '../table.ts'
import { CARRIED_RULES } from './carried.ts'
import { LINK_RULES } from './link.ts'
import { QUERY_RULES } from './query.ts'
import { REQUEST_RULES } from './request.ts'
import { SECRET_RULES } from './secret.ts'
import { HASH_RULES, TEXT_RULES } from './text.ts'

/** A factory of a scheme with the arguments that made it. */
export type Make = readonly [factory: (keys: never, options: never) => Scheme, keys: unknown, options?: object]

/** The rules for a scheme. Those of its table come first, because they are the likeliest. */
export function rulesFor(table: Table | undefined, make: Make | undefined, scheme: string): readonly Rule[] {
  const options = make ? [optionsRule(table, make, scheme)] : []
  const own = table?.rules ?? []
  const codes = new Set(own.map(({ code, kind }) => `${code} ${kind}`))
  const others = [...CARRIED_RULES, ...LINK_RULES, ...QUERY_RULES, ...REQUEST_RULES, ...SECRET_RULES, ...TEXT_RULES, ...HASH_RULES]
  return [...options, ...own, ...others.filter(({ code, kind }) => !codes.has(`${code} ${kind}`))]
}

/** Other options for the factory: those of the table, and each that the caller passed left out. */
function optionsRule(table: Table | undefined, [factory, keys, options = {}]: Make, name: string): Rule {
  const given = options as Readonly<Record<string, unknown>>
  return {
    code: 'option',
    kind: 'options',
    rarity: 1,
    sentence: (what) => `Signer and verifier have different options: the link was signed with ${what}.`,
    remedy: 'Create the scheme with the same options on both sides.',
    variants(attempt): readonly Variant[] {
      const left = Object.keys(given).map((option) => ({ option, value: undefined }))
      const changes = [...(table?.options?.(attempt, given) ?? []), ...left]
      return changes.flatMap(({ option, value }) => {
        const { [option]: _, ...others } = given
        const scheme = madeWith(factory, keys, value === undefined ? others : { ...others, [option]: value })
        const what = value === undefined ? `the default of ${option}` : `${option}: ${JSON.stringify(value)}`
        return scheme?.name === name ? [{ what, patch: { scheme } }] : []
      })
    },
  }
}

function madeWith(factory: Make[0], keys: unknown, options: object): Scheme | undefined {
  try {
    return factory(keys as never, options as never)
  } catch {
    // The options do not go together.
    return undefined
  }
}
