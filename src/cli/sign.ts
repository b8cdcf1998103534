// The command sign: signs URLs.
/// <reference types="node" />
import type { Conditions } from '../core/conditions.ts'
import { sign as signLink } from '../core/sign.ts'
import type { Io } from './io.ts'
import { eachLine, fileOf, LINES } from './lines.ts'
import { dateOf, Misuse, parse, REPEATED, sentenceOf, TEXT, type Values } from './options.ts'
import { nowOf } from './request.ts'
import { KEYED, keysOf, schemeOf } from './scheme.ts'
import { isBroken } from './text.ts'

const OPTIONS = {
  ...KEYED,
  ...LINES,
  expires: TEXT,
  align: TEXT,
  starts: TEXT,
  method: REPEATED,
  ip: TEXT,
  prefix: TEXT,
  uses: TEXT,
  id: TEXT,
  condition: REPEATED,
  now: TEXT,
}

/** Makes a link of each URL. */
export async function sign(args: readonly string[], io: Io): Promise<number> {
  const { values, rest } = parse(args, OPTIONS)
  const scheme = await schemeOf(values, await keysOf(values, io))
  const conditions = conditionsOf(values)
  const now = nowOf(values)
  // A single URL among the arguments needs no number.
  const isOnly = rest.length === 1 && rest[0] !== '-'
  let exit = 0
  await eachLine({ rest, file: fileOf(values) }, io, async (url, number) => {
    try {
      // The link would open another file than the one that is meant.
      if (isBroken(url)) throw new Misuse('url must be in UTF-8')
      const link = await signLink(scheme, url, conditions, now)
      return values['json'] ? `${JSON.stringify({ url, link })}\n` : `${link}\n`
    } catch (error) {
      exit = 2
      io.stderr.write(`securelink sign: ${isOnly ? '' : `line ${number}: `}${sentenceOf(error)}\n`)
      // Prints a line for every input line, so that the lines of input and output correspond.
      return values['json'] ? `${JSON.stringify({ url, error: sentenceOf(error) })}\n` : '\n'
    }
  })
  return exit
}

function conditionsOf(values: Values): Conditions {
  const conditions: Record<string, unknown> = {}
  for (const name of ['align', 'ip', 'prefix', 'id']) if (values[name] !== undefined) conditions[name] = values[name]
  for (const name of ['expires', 'starts']) {
    const when = values[name]
    if (when !== undefined) conditions[name] = timeOf(`${when}`, `--${name}`)
  }
  if (values['method'] !== undefined) conditions['method'] = (values['method'] as readonly string[]).flatMap((method) => method.split(','))
  if (values['uses'] !== undefined) conditions['uses'] = Number(values['uses'])
  for (const given of (values['condition'] ?? []) as readonly string[]) {
    const [, name, value = ''] = /^(\w+)=(.*)$/s.exec(given) ?? []
    if (name === undefined) throw new Misuse('--condition must be name=value')
    conditions[name] = jsonOrText(value)
  }
  if (conditions['expires'] === undefined) throw new Misuse("--expires must be given: a duration such as 10m, a date, or 'never'")
  return conditions as unknown as Conditions
}

/** A date, or a text that `sign` checks: a duration, or 'never'. */
function timeOf(text: string, option: string): unknown {
  if (/^\d{4}-/.test(text)) return dateOf(text, option)
  if (!/^(never|[\d.]+[smhd])$/.test(text)) throw new Misuse(`${option} must be a duration such as 10m, or a date such as 2030-01-01`)
  return text
}

function jsonOrText(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
