#!/usr/bin/env node
// The command `securelink`: passes the arguments, streams and signals of the process to main.
/// <reference types="node" />
import { main } from './main.ts'

const ended = new AbortController()
const SIGNALS = ['SIGINT', 'SIGTERM'] as const
const end = (): void => {
  ended.abort()
  // Without a listener, the next signal ends the process at once.
  for (const name of SIGNALS) process.off(name, end)
}
for (const name of SIGNALS) process.on(name, end)

// The exit code of a program that SIGPIPE ends: 128 and the number of the signal.
const BROKEN_PIPE = 141

const { argv, env, stdin, stdout, stderr } = process
stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  // The reader has closed the pipe, as `head` does when it has its lines. Nothing was refused, and nothing failed.
  if (code === 'EPIPE') process.exit(BROKEN_PIPE)
  stderr.write(`securelink: standard output cannot be written to (${code})\n`)
  process.exit(1)
})
// The messages cannot be shown then, but the links on standard output can, and the exit code still tells what happened.
stderr.on('error', () => undefined)
process.exitCode = await main(argv.slice(2), { env, stdin, stdout, stderr, signal: ended.signal })
