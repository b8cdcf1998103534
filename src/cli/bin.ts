#!/usr/bin/env node
// The command `securelink`: hands the process's arguments, streams and signals to main.
/// <reference types="node" />
import { main } from './main.ts'

const ended = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ended.abort())
const { argv, env, stdin, stdout, stderr } = process
process.exitCode = await main(argv.slice(2), { env, stdin, stdout, stderr, signal: ended.signal })
