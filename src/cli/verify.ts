// verify and redeem: verify links, and consume their uses.
/// <reference types="node" />
import { redeem as redeemLink } from '../core/redeem.ts'
import type { Scheme } from '../core/scheme.ts'
import type { Verdict } from '../core/verdict.ts'
import { type VerifyOptions, verify as verifyLink } from '../core/verify.ts'
import { explainEach } from './explain.ts'
import type { Io } from './io.ts'
import { eachLink, fileOf, LINES } from './lines.ts'
import { parse, TEXT, type Values } from './options.ts'
import { headersOf, nowOf, REQUEST } from './request.ts'
import { KEYED, keysOf, schemeOf } from './scheme.ts'
import { storeOf } from './store.ts'

const OPTIONS = { ...KEYED, ...LINES, ...REQUEST, tolerance: TEXT, now: TEXT }

/** Verifies each link. With `--explain`, it says why links are refused. */
export async function verify(args: readonly string[], io: Io): Promise<number> {
  const { values, rest } = parse(args, { ...OPTIONS, explain: { type: 'boolean' } })
  if (values['explain']) return explainEach(values, rest, io)
  return verifyEach(values, rest, io, verifyLink)
}

/** Verifies each link, and consumes one use of those that have a number of them. */
export async function redeem(args: readonly string[], io: Io): Promise<number> {
  const { values, rest } = parse(args, { ...OPTIONS, store: TEXT })
  const store = await storeOf((values['store'] ?? io.env['SECURELINK_STORE']) as string | undefined)
  try {
    // One link at a time, so that of two lines with the same link, the first one gets the use.
    return await verifyEach(values, rest, io, (scheme, link, options) => redeemLink(scheme, link, { ...options, store }), 1)
  } finally {
    await store.close()
  }
}

async function verifyEach(
  values: Values,
  rest: readonly string[],
  io: Io,
  verb: (scheme: Scheme, link: string, options: VerifyOptions) => Promise<Verdict>,
  atOnce?: number,
): Promise<number> {
  const scheme = await schemeOf(values, await keysOf(values, io))
  const given = ['ip', 'method', 'tolerance'].filter((name) => values[name] !== undefined)
  const options = {
    ...nowOf(values),
    ...headersOf(values),
    ...Object.fromEntries(given.map((name) => [name, values[name]])),
  } as VerifyOptions
  let exit = 0
  const work = async (link: string): Promise<string> => {
    const verdict = await verb(scheme, link, options)
    if (!verdict.ok) exit = 1
    return `${values['json'] ? JSON.stringify(verdict) : lineOf(verdict)}\n`
  }
  await eachLink({ rest, file: fileOf(values) }, io, work, atOnce)
  return exit
}

function lineOf(verdict: Verdict): string {
  if (!verdict.ok) return `refused ${verdict.reason}${verdict.parameter === undefined ? '' : ` (the parameter ${verdict.parameter})`}`
  const { expires, endless } = verdict.claims
  return endless ? `ok ${verdict.scheme}, never expires` : `ok ${verdict.scheme} until ${expires.toISOString()}`
}
