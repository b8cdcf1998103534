// Changes of URLs that several rules use. All keep the text as it is, except for the piece that they change.
import { decodeValue, encodeValue, split } from '../../lib/url.ts'
import type { Attempt } from '../attempt.ts'

/** A piece of a query. */
export interface Piece {
  /** Decoded, as far as it can be. */
  readonly name: string
  /** As it stands. */
  readonly value: string
  readonly text: string
}

export function piecesOf(url: string): readonly Piece[] {
  const { query } = split(url)
  return query
    .slice(1)
    .split('&')
    .filter(Boolean)
    .map((text) => {
      const [written = ''] = text.split('=', 1)
      return { name: decodeValue(written) ?? written, value: text.slice(written.length + 1), text }
    })
}

/** The URL with another query. */
export function withPieces(url: string, pieces: readonly (Piece | string)[]): string {
  const { origin, path, fragment } = split(url)
  const query = pieces.map((piece) => (typeof piece === 'string' ? piece : piece.text)).join('&')
  return `${origin}${path}${query && '?'}${query}${fragment}`
}

/** The value of a parameter as it stands, if it is there. */
export function rawValue(url: string, name: string): string | undefined {
  return piecesOf(url).find((piece) => piece.name.toLowerCase() === name.toLowerCase())?.value
}

/** The URL with another value of a parameter, encoded. It is added if it is missing. */
export function withValue(url: string, name: string, value: string): string {
  const pieces = piecesOf(url)
  const isIt = (piece: Piece) => piece.name.toLowerCase() === name.toLowerCase()
  const text = `${name}=${value}`
  return withPieces(url, pieces.some(isIt) ? pieces.map((piece) => (isIt(piece) ? text : piece)) : [...pieces, text])
}

/** The URL with another path. */
export function withPath(url: string, change: (path: string) => string | undefined): string | undefined {
  const { origin, path, query, fragment } = split(url)
  const changed = change(path)
  return changed === undefined ? undefined : `${origin}${changed}${query}${fragment}`
}

/** The URL with another origin. */
export function withOrigin(url: string, change: (origin: string) => string | undefined): string | undefined {
  const { origin } = split(url)
  const changed = origin ? change(origin) : undefined
  return changed === undefined ? undefined : changed + url.slice(origin.length)
}

/** Is this a parameter of the link itself? */
export function isOwn({ scheme }: Attempt, name: string): boolean {
  return scheme.parameters.some((own) => own.toLowerCase() === name.toLowerCase())
}

/** Decodes each run of escapes beyond ASCII, changes the text, and escapes it again. */
export function inCharset(text: string, change: (text: string) => string, written: (letter: string) => string = encodeValue): string {
  return text.replace(/(?:[A-Za-z]?(?:%[89A-F][\da-f])+)+/gi, (run) => {
    const letters = decodeValue(run)
    return letters === undefined ? run : change(letters).replace(/[^\0-\x7f]/gu, written)
  })
}
