// Reads the tags of an XML document in one pass, and where their attributes and texts are, so that a caller can change these and nothing else.
import { assertOption } from '../core/errors.ts'

/** Some characters of the document, with their entities replaced: an attribute's value, or the text of an element. */
export interface Span {
  readonly value: string
  readonly from: number
  readonly to: number
}

/** The content of the document, in its order. Names have no namespace prefix. */
export type XmlPiece =
  | { readonly kind: 'open'; readonly name: string; readonly attributes: ReadonlyMap<string, Span>; readonly isEmpty: boolean }
  | { readonly kind: 'close'; readonly name: string }
  | { readonly kind: 'text'; readonly span: Span }

// A name is followed by a space, `/` or `>`, and one of an attribute follows a space. Otherwise each character of a long name could begin or end it, and
// a manifest of 80 kB would take the square of that in steps.
const TAG =
  /<(?:!--[\s\S]*?-->|\?[\s\S]*?\?>|!\[CDATA\[([\s\S]*?)\]\]>|\/([^\s>]+)\s*>|([^\s/>!?]+)(?=[\s/>])((?:[^>"']|"[^"]*"|'[^']*')*)>)/y
const ATTRIBUTE = /\s([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g

/**
 * The pieces of a document; comments and instructions are skipped.
 *
 * @throws A `LinkError` `bad_option` with this option's name, if this is not XML, or defines entities of its own.
 */
export function* piecesOf(document: string, option: string): Generator<XmlPiece> {
  for (let at = 0; at < document.length; ) {
    const next = document.indexOf('<', at)
    const end = next < 0 ? document.length : next
    if (end > at) yield { kind: 'text', span: { value: unescaped(document.slice(at, end)), from: at, to: end } }
    if (next < 0) return
    TAG.lastIndex = next
    const match = TAG.exec(document)
    // A document type could define entities, and URLs with them would be signed wrongly.
    assertOption(match, option, 'well-formed XML without a document type')
    const [whole, data, closed, opened, rest = ''] = match
    at = next + whole.length
    if (data !== undefined) yield { kind: 'text', span: { value: data, from: next, to: at } }
    else if (closed !== undefined) yield { kind: 'close', name: localName(closed) }
    else if (opened !== undefined) {
      const attributes = attributesOf(rest, next + 1 + opened.length)
      yield { kind: 'open', name: localName(opened), attributes, isEmpty: rest.endsWith('/') }
    }
  }
}

function attributesOf(text: string, offset: number): Map<string, Span> {
  const found = new Map<string, Span>()
  for (const match of text.matchAll(ATTRIBUTE)) {
    const [whole, name = '', double, single = ''] = match
    const value = double ?? single
    const to = offset + match.index + whole.length - 1
    found.set(localName(name), { value: unescaped(value), from: to - value.length, to })
  }
  return found
}

const localName = (name: string): string => name.slice(name.indexOf(':') + 1)

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescaped(text: string): string {
  return text.replace(/&(?:#x([\da-f]{1,6})|#(\d{1,7})|(amp|lt|gt|quot|apos));/gi, (entity, hex, decimal, name) => {
    if (name) return ENTITIES[name] ?? entity
    const code = hex ? Number.parseInt(hex, 16) : Number(decimal)
    return code <= 0x10ffff ? String.fromCodePoint(code) : entity
  })
}

/** Text as it is written in an element or an attribute. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`.replace('&#38;', '&amp;'))
}
