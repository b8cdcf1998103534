// main: finds the verb and runs it. It returns the exit code: 0 accepted, 1 refused or failed, 2 misuse.
/// <reference types="node" />
import { readFileSync } from 'node:fs'
import { demo } from './demo.ts'
import { explain } from './explain.ts'
import { HELP } from './help.ts'
import { inspect } from './inspect.ts'
import type { Io } from './io.ts'
import { keygen } from './keygen.ts'
import { Failed, nearest, sentenceOf } from './options.ts'
import { serve } from './serve.ts'
import { sign } from './sign.ts'
import { redeem, verify } from './verify.ts'

const VERBS: Readonly<Record<string, (args: readonly string[], io: Io) => Promise<number>>> = {
  keygen,
  sign,
  verify,
  redeem,
  inspect,
  explain,
  serve,
  demo,
}

/** Runs the command line, and returns the exit code. */
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
  if (!verb) {
    io.stderr.write(`securelink: ${unknownVerb(name)}\n`)
    return 2
  }
  try {
    return await verb(args, io)
  } catch (error) {
    io.stderr.write(`securelink ${name}: ${sentenceOf(error)}\n`)
    return error instanceof Failed ? 1 : 2
  }
}

function unknownVerb(name: string): string {
  const near = nearest(name, Object.keys(VERBS))
  const hint = near ? `did you mean ${near}?` : 'securelink --help lists the verbs'
  return name ? `unknown verb '${name}'; ${hint}` : `the first argument must be a verb; ${hint}`
}
