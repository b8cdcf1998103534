// eachLine: processes lines from arguments, a file or standard input in batches, so that memory does not grow with their number.
/// <reference types="node" />
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Io } from './io.ts'
import { Misuse, type Options, type Values } from './options.ts'
import { decoderFor } from './text.ts'

/** The options of every verb on links. */
export const LINES: Options = { file: { type: 'string' }, json: { type: 'boolean' } }

/** The file of `--file`. */
export const fileOf = (values: Values): string | undefined => values['file'] as string | undefined

// Enough to keep WebCrypto's threads busy; more would only use memory.
const AT_ONCE = 512

/**
 * Works on each line of the input, `atOnce` at a time, and writes the answers in the order of the lines. Returns the number of lines, without empty
 * ones.
 */
export async function eachLine(
  { rest, file }: { rest: readonly string[]; file: string | undefined },
  io: Io,
  work: (line: string, number: number) => Promise<string>,
  atOnce: number = AT_ONCE,
): Promise<number> {
  const bar = progress(io, file === undefined ? 0 : (await stat(file).catch(unreadable)).size)
  let number = 0
  let bytes = 0
  let count = 0
  const flush = async (batch: readonly Line[]): Promise<void> => {
    const answers = await Promise.all(batch.map((line) => work(line.text, line.number)))
    number = batch.at(-1)?.number ?? number
    count += batch.length
    for (const { text } of batch) bytes += text.length + 1
    const text = answers.join('')
    if (text && io.stdout.write(text) === false) await new Promise((resolve) => io.stdout.once?.('drain', resolve))
    bar.show(number, bytes)
  }
  let batch: Line[] = []
  try {
    for await (const line of linesOf(rest, file, io)) {
      if (io.signal.aborted) break
      if (batch.push(line) === atOnce) {
        await flush(batch)
        batch = []
      }
    }
    await flush(batch)
  } finally {
    bar.end()
  }
  return count
}

/**
 * Like {@link eachLine}, for the verbs whose exit code 0 says that all links are good. Without a link it throws {@link Misuse}: in
 * `curl … | securelink verify && deploy`, a `curl` that fails would count as a valid link.
 */
export async function eachLink(
  input: { rest: readonly string[]; file: string | undefined },
  io: Io,
  work: (link: string) => Promise<string>,
  atOnce?: number,
): Promise<void> {
  const count = await eachLine(input, io, work, atOnce)
  if (count === 0 && !io.signal.aborted) throw new Misuse('a link must be given: as an argument, in a file, or on standard input')
}

interface Line {
  readonly text: string
  /** From 1, with empty lines counted. */
  readonly number: number
}

async function* linesOf(rest: readonly string[], file: string | undefined, io: Io): AsyncGenerator<Line> {
  let number = 0
  if (rest.length && !(rest.length === 1 && rest[0] === '-')) {
    for (const text of rest) yield { text, number: ++number }
    return
  }
  let decoder: TextDecoder | undefined
  let open = ''
  for await (const chunk of file === undefined ? io.stdin : chunksOf(file)) {
    decoder ??= decoderFor(chunk)
    const lines = (open + decoder.decode(chunk, { stream: true })).split('\n')
    open = lines.pop() as string
    for (const line of lines) {
      number++
      if (line.trim()) yield { text: line.trim(), number }
    }
  }
  // A character that is cut off at the end of the input is a part of the last line, too.
  open += decoder?.decode() ?? ''
  if (open.trim()) yield { text: open.trim(), number: number + 1 }
}

async function* chunksOf(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file) as AsyncIterable<Uint8Array>
  } catch (error) {
    unreadable(error as NodeJS.ErrnoException)
  }
}

function unreadable({ code }: NodeJS.ErrnoException): never {
  throw new Misuse(`--file must be a file that can be read (${code})`)
}

// Shown only on a terminal, and only if the results go elsewhere, because a bar between links would break their lines.
function progress({ stdout, stderr }: Io, size: number): { show(lines: number, bytes: number): void; end(): void } {
  const visible = stderr.isTTY && !stdout.isTTY
  let shown = 0
  const started = Date.now()
  return {
    show(lines, bytes) {
      if (!visible || Date.now() - shown < 100) return
      shown = Date.now()
      const rate = Math.round((lines / Math.max(1, shown - started)) * 1000)
      const part = size ? Math.min(1, bytes / size) : 0
      const drawn = size ? `[${'#'.repeat(Math.round(part * 24)).padEnd(24, '.')}] ${`${Math.round(part * 100)}%`.padStart(4)}  ` : ''
      stderr.write(`\r${drawn}${lines.toLocaleString('en')} lines, ${rate.toLocaleString('en')} a second `)
    },
    end() {
      if (shown) stderr.write('\r\u001b[K')
    },
  }
}
