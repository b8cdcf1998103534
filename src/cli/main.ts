// main: which verb was asked for. Every verb gives the exit code: 0 for accepted, 1 for refused or failed, 2 for what cannot be meant.
/// <reference types="node" />
import { readFileSync } from 'node:fs'
import { demo } from './demo.ts'
import { HELP } from './help.ts'
import { Failed, nearest, sentenceOf } from './options.ts'
import { serve } from './serve.ts'
import { inspect, keygen, redeem, sign, verify } from './verbs.ts'

/** A stream of text: `isTTY` when it is a terminal. */
export interface Out {
  write(text: string): unknown
  readonly isTTY?: boolean
  once?(event: 'drain', listener: (value: unknown) => void): unknown
}

/** The world as a verb sees it. */
export interface Io {
  readonly stdin: AsyncIterable<Uint8Array | string>
  readonly stdout: Out
  readonly stderr: Out
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborts when the command is to end. */
  readonly signal: AbortSignal
}

const VERBS: Readonly<Record<string, (args: readonly string[], io: Io) => Promise<number>>> = {
  keygen,
  sign,
  verify,
  redeem,
  inspect,
  serve,
  demo,
}

/** Runs the command line; answers with the exit code. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const [name = '', ...args] = argv
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined
  if (name === '--version') {
    io.stdout.write(`${JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version}\n`)
    return 0
  }
  if (name === 'help' || argv.includes('--help') || argv.includes('-h')) {
    const about = (name === 'help' && args[0]) || name
    io.stdout.write(HELP[Object.hasOwn(VERBS, about) ? about : ''] as string)
    return 0
  }
  try {
    if (verb) return await verb(args, io)
    const near = nearest(name, Object.keys(VERBS))
    io.stderr.write(
      `securelink: ${name ? `there is no verb '${name}'` : 'it takes a verb'}${near ? `; did you mean ${near}?` : '; securelink --help lists them'}\n`,
    )
  } catch (error) {
    io.stderr.write(`securelink ${name}: ${sentenceOf(error)}\n`)
    if (error instanceof Failed) return 1
  }
  return 2
}
