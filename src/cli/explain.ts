// explain: finds out why links are refused. It computes signatures with the keys, and names the mistake that made the link's signature.
/// <reference types="node" />
import type { SecretKey } from '../core/keys.ts'
import { type ExplainOptions, type Explanation, explain as explainLink } from '../explain/explain.ts'
import type { Io } from './io.ts'
import { eachLink, fileOf, LINES } from './lines.ts'
import { Misuse, parse, TEXT, type Values } from './options.ts'
import { headersOf, nowOf, REQUEST } from './request.ts'
import { KEYED, keysOf, makerOf, schemeOf } from './scheme.ts'

const OPTIONS = { ...KEYED, ...LINES, ...REQUEST, tolerance: TEXT, now: TEXT, bound: TEXT }

/** Explains each link. */
export async function explain(args: readonly string[], io: Io): Promise<number> {
  const { values, rest } = parse(args, OPTIONS)
  return explainEach(values, rest, io)
}

/** Explains each link, for `explain` and `verify --explain`. */
export async function explainEach(values: Values, rest: readonly string[], io: Io): Promise<number> {
  const keys = await keysOf(values, io)
  const scheme = await schemeOf(values, keys)
  const options = await optionsFor(values, keys)
  let exit = 0
  const work = async (link: string): Promise<string> => {
    const answer = await explainLink(scheme, link, options)
    if (!answer.verdict.ok) exit = 1
    return values['json'] ? `${JSON.stringify(answer)}\n` : printed(answer)
  }
  // One link at a time, because a search keeps a processor busy.
  await eachLink({ rest, file: fileOf(values) }, io, work, 1)
  return exit
}

async function optionsFor(values: Values, keys: readonly SecretKey[]): Promise<ExplainOptions> {
  const given = ['ip', 'method', 'tolerance'].filter((name) => values[name] !== undefined)
  const bound = values['bound'] === undefined ? undefined : Number(values['bound'])
  if (bound !== undefined && !(Number.isInteger(bound) && bound >= 0)) throw new Misuse('--bound must be a whole number')
  const { factory, options } = await makerOf(values)
  return {
    ...nowOf(values),
    ...headersOf(values),
    ...Object.fromEntries(given.map((name) => [name, values[name]])),
    ...(bound !== undefined && { bound }),
    make: [factory as never, keys, options],
  }
}

/** An explanation as text for a terminal. */
function printed(answer: Explanation): string {
  const { verdict, mistakes, tried, expected, canonicalRequest } = answer
  const lines: string[] = []
  if (verdict.ok) lines.push(`ok ${verdict.scheme}`)
  else lines.push(`refused ${verdict.reason}${verdict.parameter === undefined ? '' : ` (the parameter ${verdict.parameter})`}`)
  for (const { code, sentence, remedy, line } of mistakes) {
    lines.push('', `${sentence} (${code})`, `  ${remedy}`)
    if (line !== undefined) lines.push('', `  ${line}`)
  }
  if (!verdict.ok && mistakes.length === 0)
    lines.push(
      '',
      `None of the known mistakes made this signature, among ${tried} that were tried. It may have been made with another secret, or for another URL.`,
    )
  lines.push(...strings(answer))
  if (canonicalRequest !== undefined) lines.push('', 'canonical request of the verifier:', ...indented(canonicalRequest))
  if (expected !== undefined && !verdict.ok) lines.push('', `expected signature (valid, so keep it to yourself): ${expected}`)
  return `${lines.map(printable).join('\n')}\n\n`
}

/** The string to sign, and beside it the string that was signed, with a mark at the first difference. */
function strings({ stringToSign, signed }: Explanation): readonly string[] {
  if (stringToSign === undefined) return signed === undefined ? [] : ['', 'string that was signed:', ...indented(signed)]
  if (signed === undefined) return ['', 'string to sign of the verifier:', ...indented(stringToSign)]
  const expected = stringToSign.split('\n')
  const came = signed.split('\n')
  const width = Math.min(Math.max(...expected.map((line) => line.length), 'verifier'.length), 56)
  const first = expected.findIndex((line, at) => line !== came[at])
  const rows: string[] = ['', `  ${'verifier'.padEnd(width)} | signer`]
  for (let at = 0; at < Math.max(expected.length, came.length); at++) {
    const [left = '', right = ''] = [expected[at], came[at]]
    if (left.length <= width) rows.push(`${at === first ? '>' : ' '} ${left.padEnd(width)} | ${right}`)
    else rows.push(`${at === first ? '>' : ' '} ${left}`, `  ${''.padEnd(width)} | ${right}`)
    if (at === first) rows.push(mark(left, right, width))
  }
  if (first < 0) rows.push(`  the signer has ${came.length - expected.length} more lines`)
  return rows
}

/** A caret below the first character that differs, on both sides. */
function mark(left: string, right: string, width: number): string {
  let at = 0
  while (at < left.length && left[at] === right[at]) at++
  const caret = `${' '.repeat(at)}^`
  return left.length > width ? `  ${caret}` : `  ${caret.padEnd(width)} | ${caret}`
}

const indented = (text: string): readonly string[] => text.split('\n').map((line) => `  ${line}`.trimEnd())

// Replaces control characters, because terminals obey them and anyone can have written the link.
// biome-ignore lint/suspicious/noControlCharactersInRegex: this replaces them
const printable = (line: string): string => line.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd')
