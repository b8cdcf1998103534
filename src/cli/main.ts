// main: which verb was asked for. Every verb gives the exit code: 0 for done, 1 for what failed, 2 for what cannot be meant.
import { demo } from './demo.ts'

/** The world as a verb sees it. */
export interface Io {
  readonly stdout: { write(text: string): unknown }
  readonly stderr: { write(text: string): unknown }
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborts when the command is to end. */
  readonly signal: AbortSignal
}

const HELP = `securelink: signed links that expire

  securelink demo      serves files behind signed links on 127.0.0.1:8787 and prints links to try;
                       PORT=8080 takes another port, PORT=0 a free one
  securelink --help    prints this
`

const verbs = new Map<string, (args: readonly string[], io: Io) => Promise<number>>([['demo', demo]])

/** Runs the command line; answers with the exit code. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const [name = '', ...args] = argv
  if (argv.includes('--help') || argv.includes('-h')) {
    io.stdout.write(HELP)
    return 0
  }
  const verb = verbs.get(name)
  if (verb) return verb(args, io)
  io.stderr.write(`securelink: ${name ? `there is no '${name}'` : 'it takes a verb'}; securelink --help lists the verbs\n`)
  return 2
}
