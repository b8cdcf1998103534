#!/usr/bin/env node
// The command `securelink`: hands the process's arguments, streams and signals to main.
/// <reference types="node" />
import { main } from './main.ts'

const ended = new AbortController()
const end = (): void => {
  ended.abort()
  // The next one ends the process, whatever is under way.
  for (const name of SIGNALS) process.off(name, end)
}
const SIGNALS = ['SIGINT', 'SIGTERM'] as const
for (const name of SIGNALS) process.on(name, end)
const { argv, env, stdin, stdout, stderr } = process
// Whoever reads the answers has left, as `head` does; or there is no room for them.
stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (code !== 'EPIPE') stderr.write(`securelink: standard output takes no more (${code})\n`)
  process.exit(1)
})
process.exitCode = await main(argv.slice(2), { env, stdin, stdout, stderr, signal: ended.signal })
