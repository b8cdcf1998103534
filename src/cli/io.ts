// Io: the streams, the environment and the signal that a verb of the command gets.
/// <reference types="node" />

/** An output stream for text. */
export interface Out {
  write(text: string): unknown
  /** `true` for a terminal. */
  readonly isTTY?: boolean
  once?(event: 'drain', listener: (value: unknown) => void): unknown
}

/** What a verb reads and writes. */
export interface Io {
  readonly stdin: AsyncIterable<Uint8Array>
  readonly stdout: Out
  readonly stderr: Out
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborts when the command must end. */
  readonly signal: AbortSignal
}
