// Options of the command line: Node's parseArgs, and a sentence with a suggestion for an option that is not known.
/// <reference types="node" />
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { LinkError } from '../core/errors.ts'
import { dateIn } from '../service/dates.ts'

/** A wrong command line, or a wrong file or variable; exit code 2. */
export class Misuse extends Error {}

/** A failure that the caller did not cause, such as a store that is down; exit code 1. */
export class Failed extends Error {}

export type Options = NonNullable<ParseArgsConfig['options']>
export type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>

/** An option with a value, and one that may be repeated. */
export const TEXT = { type: 'string' } as const
export const REPEATED = { type: 'string', multiple: true } as const

/** Options and the other arguments. Throws {@link Misuse} for an option that the verb does not have, naming the nearest one that it has. */
export function parse(args: readonly string[], options: Options): { values: Values; rest: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    return { values: values as Values, rest: positionals }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const [, unknown] = /'(--?[^'= ]+)/.exec(message) ?? []
    // Node's message has three lines.
    if (unknown !== undefined && message.includes('argument is ambiguous'))
      throw new Misuse(`${unknown} must have a value; one that begins with '-' is written as ${unknown}=-…`, { cause: error })
    if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION' || unknown === undefined) throw new Misuse(message.split('. ')[0], { cause: error })
    const near = nearest(unknown.replace(/^-+/, ''), Object.keys(options))
    throw new Misuse(
      `unknown option ${unknown}; ${near ? `did you mean --${near}?` : `the known ones are --${Object.keys(options).join(', --')}`}`,
      {
        cause: error,
      },
    )
  }
}

/** The word that is most similar to another one, if any is similar. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const [best] = words.map((other) => ({ other, distance: distance(word, other) })).sort((a, b) => a.distance - b.distance)
  return best && best.distance <= (word.length < 4 ? 1 : Math.max(2, word.length / 3)) ? best.other : undefined
}

// Levenshtein's distance, row by row.
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}

/** The sentence of an error that a person at a terminal can correct. Any other error is thrown again. */
export function sentenceOf(error: unknown): string {
  if (error instanceof Misuse || error instanceof Failed || error instanceof LinkError) return error.message
  throw error
}

/** A time in ISO 8601, such as `2030-01-01T00:00:00Z`; `undefined` without one. */
export function dateOf(text: unknown, name: string): Date | undefined {
  if (text === undefined) return undefined
  const date = dateIn(`${text}`)
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(`${text}`) || Number.isNaN(+date))
    throw new Misuse(`${name} must be a date such as 2030-01-01T00:00:00Z`)
  return date
}

/** Parses JSON. Throws {@link Misuse} with the sentence if the text is not JSON. */
export function json(text: string, sentence: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // biome-ignore lint/style/useErrorCause: its message quotes the text, which may be a secret
    throw new Misuse(sentence)
  }
}
