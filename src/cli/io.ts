// Io: the streams, the environment and the signal of the process, as a verb of the command gets them.
/// <reference types="node" />

/** A stream of text that is written to. */
export interface Out {
  write(text: string): unknown
  /** `true` for a terminal. */
  readonly isTTY?: boolean
  once?(event: 'drain', listener: (value: unknown) => void): unknown
}

/** What a verb reads and writes. */
export interface Io {
  readonly stdin: AsyncIterable<Uint8Array | string>
  readonly stdout: Out
  readonly stderr: Out
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborts when the command is to end. */
  readonly signal: AbortSignal
}
