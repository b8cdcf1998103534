// Changes to a link and to its request, by structure: parameters, segments, fields that are signed side by side, spellings, and the rest of a request.
import type { Issued } from './profile.ts'
import type { Random } from './random.ts'
import { targetOf } from './readings.ts'
import { ADDRESSES, CHOICES, DAY, HEADER_VALUES, HEADERS, HOSTS, METHODS, NAMES, NOW, ODD_ADDRESSES, path, token, value } from './words.ts'

/** A request under construction. */
export interface Draft {
  origin: string
  path: string
  /** The pieces of the query, between the `&`s. `undefined` if there is no `?`. */
  pieces: string[] | undefined
  fragment: string
  method: string
  ip: string | undefined
  headers: Record<string, string>
  now: number
  tolerance: number
  /** When keys of verifiers begin and end. */
  readonly keyTimes: readonly number[]
  /** Links of the same keys, to take parts from. */
  readonly others: readonly Issued[]
  /** Names of the link's own parameters. */
  readonly own: readonly string[]
  /** Texts between the fields of the string to sign. */
  readonly separators: readonly string[]
}

export function draftOf(issued: Issued, others: readonly Issued[], keyTimes: readonly number[] = []): Draft {
  const { origin, path, query } = issued.target
  const { conditions, profile } = issued
  const [address] = String(conditions['ip'] ?? '').split('/')
  const asked = [conditions['method'] ?? 'GET'].flat() as string[]
  return {
    origin,
    path,
    pieces: query?.split('&'),
    fragment: '',
    method: asked[0] as string,
    ip: address ? address : conditions['ipRange'] || conditions['ipRanges'] ? '203.0.113.7' : undefined,
    headers: { ...(conditions['headers'] as object), ...(conditions['requestHeaders'] as object) },
    now: NOW + 4_000_000,
    tolerance: 0,
    keyTimes,
    others,
    own: profile.parameters,
    separators: profile.separators,
  }
}

export const textOf = ({ origin, path, pieces, fragment }: Draft): string =>
  origin + path + (pieces ? `?${pieces.join('&')}` : '') + fragment

// ── texts ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const encoded = (character: string): string =>
  [...Buffer.from(character, 'utf8')].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('')

const encodedLower = (character: string): string => encoded(character).toLowerCase()

/** A place in a text, but not inside of an escape. */
function placeIn(random: Random, text: string): number {
  const at = random.below(text.length + 1)
  return /%.?$/.test(text.slice(0, at)) && random.chance(0.9) ? text.lastIndexOf('%', at - 1) : at
}

/** Another spelling of a text, or nearly one. */
export function respell(random: Random, text: string): string {
  const at = placeIn(random, text)
  const [before, character, after] = [text.slice(0, at), text[at] ?? '', text.slice(at + 1)]
  switch (random.below(13)) {
    case 0:
      return before + encoded(character) + after
    case 1:
      return before + encodedLower(character) + after
    case 2:
      return before + encoded(character).replaceAll('%', '%25') + after
    case 3:
      // The first escape behind the place is decoded.
      return before + text.slice(at).replace(/%[\da-f]{2}/i, (hex) => String.fromCharCode(Number.parseInt(hex.slice(1), 16)))
    case 4:
      return before + text.slice(at).replace(/%[\da-f]{2}/i, (hex) => (hex === hex.toUpperCase() ? hex.toLowerCase() : hex.toUpperCase()))
    case 5:
      return text.includes('+') ? text.replace('+', '%20') : text.replace('%20', '+')
    case 6:
      return text.replace('%', '%25')
    case 7:
      return before + (character === character.toUpperCase() ? character.toLowerCase() : character.toUpperCase()) + after
    case 8:
      return text.normalize(random.chance(0.5) ? 'NFD' : 'NFC')
    case 9:
      return `${text}${random.pick(['=', '==', '%3D', '%00', ' ', '%20', '+', '\n', '%0A', '/', ',', ';', '%', '?', '#', '.', '~'])}`
    case 10:
      return `${random.pick(['0', '+', '%20', ' ', '%00', '\t', '-', '/', '.'])}${text}`
    case 11:
      return text.replaceAll('-', '+').replaceAll('_', '/')
    default:
      return before + encoded(character).replaceAll('%', '~') + after
  }
}

const changed = (random: Random, text: string): string => {
  const at = placeIn(random, text)
  switch (random.below(6)) {
    case 0:
      return text.slice(0, at) + token(random) + text.slice(at)
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + random.below(3))
    case 2:
      return text.slice(0, at)
    case 3:
      return text.slice(0, at) + String.fromCharCode((text.charCodeAt(at) || 48) ^ (1 << random.below(4))) + text.slice(at + 1)
    case 4:
      return /\d/.test(text)
        ? text.replace(/\d+/, (digits) => String(Number(digits) + random.pick([1, -1, 60, 86_400, 31_536_000])))
        : value(random)
    default:
      return value(random)
  }
}

// ── query ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const piecesOf = (draft: Draft): string[] => {
  draft.pieces ??= []
  return draft.pieces
}
const nameOf = (piece: string): string => piece.split('=', 1)[0] as string
const valueIn = (piece: string): string => piece.slice(nameOf(piece).length + 1)
const at = (random: Random, list: readonly unknown[]): number => random.below(list.length)

/** Changes the value of one piece, and keeps its name. */
function editValue(draft: Draft, index: number, edit: (text: string) => string): void {
  const pieces = piecesOf(draft)
  const piece = pieces[index]
  if (piece !== undefined) pieces[index] = `${nameOf(piece)}=${edit(valueIn(piece))}`
}

type Mutation = (draft: Draft, random: Random) => void

const query: Readonly<Record<string, Mutation>> = {
  changeValue: (draft, random) => editValue(draft, at(random, piecesOf(draft)), (text) => changed(random, text)),
  respellValue: (draft, random) => editValue(draft, at(random, piecesOf(draft)), (text) => respell(random, text)),
  respellPiece: (draft, random) => {
    const pieces = piecesOf(draft)
    const index = at(random, pieces)
    if (pieces[index] !== undefined) pieces[index] = respell(random, pieces[index])
  },
  respellName: (draft, random) => {
    const pieces = piecesOf(draft)
    const index = at(random, pieces)
    const piece = pieces[index]
    if (piece === undefined) return
    const name = nameOf(piece)
    const spelling = random.pick([
      (text: string) => respell(random, text),
      (text: string) => text.toUpperCase(),
      (text: string) => text.toLowerCase(),
      (text: string) => `${text}[]`,
    ])
    pieces[index] = spelling(name) + piece.slice(name.length)
  },
  drop: (draft, random) => void piecesOf(draft).splice(at(random, piecesOf(draft)), 1),
  duplicate: (draft, random) => {
    const pieces = piecesOf(draft)
    const piece = pieces[at(random, pieces)]
    if (piece === undefined) return
    const copy = random.chance(0.4)
      ? piece
      : `${random.chance(0.8) ? nameOf(piece) : respell(random, nameOf(piece))}=${random.chance(0.5) ? changed(random, valueIn(piece)) : value(random)}`
    pieces.splice(random.pick([0, pieces.length, at(random, pieces)]), 0, copy)
  },
  reorder: (draft, random) => {
    const pieces = piecesOf(draft)
    const [moved] = pieces.splice(at(random, pieces), 1)
    if (moved !== undefined) pieces.splice(random.below(pieces.length + 1), 0, moved)
  },
  add: (draft, random) => {
    const pieces = piecesOf(draft)
    const name = random.chance(0.3) && draft.own.length ? random.pick(draft.own) : random.pick(NAMES)
    pieces.splice(random.below(pieces.length + 1), 0, random.chance(0.1) ? name : `${name}=${value(random)}`)
  },
  rename: (draft, random) => {
    const pieces = piecesOf(draft)
    const index = at(random, pieces)
    const piece = pieces[index]
    if (piece !== undefined) pieces[index] = random.pick(random.chance(0.5) ? NAMES : draft.own) + piece.slice(nameOf(piece).length)
  },
  /** Another of the values that a parameter of a scheme can have. */
  enumerate: (draft, random) => {
    const pieces = piecesOf(draft)
    const known = [...pieces.keys()].filter((index) => CHOICES[nameOf(pieces[index] as string)])
    if (!known.length) return
    const index = random.pick(known)
    editValue(draft, index, () => random.pick(CHOICES[nameOf(pieces[index] as string)] as readonly string[]))
  },
  shuffle: (draft, random) => {
    const pieces = piecesOf(draft)
    for (let index = pieces.length - 1; index > 0; index--) {
      const other = random.below(index + 1)
      const piece = pieces[index] as string
      pieces[index] = pieces[other] as string
      pieces[other] = piece
    }
  },
  separators: (draft, random) => {
    const pieces = piecesOf(draft)
    const index = at(random, pieces)
    if (pieces[index] === undefined) return
    const glue = random.pick([';', '&amp;', '%26', '?', '&&', '=', '#', '&#', ',', '\n', ' ', '+', '%3B'])
    pieces.splice(index, 2, pieces.slice(index, index + 2).join(glue))
  },
  empty: (draft, random) =>
    void piecesOf(draft).splice(random.below(3), 0, ...random.several(1, 3, () => random.pick(['', '', '=', '%', '=a', '&']))),
  many: (draft, random) => {
    if (random.chance(0.9)) return
    const count = random.pick([998, 1000, 1001])
    piecesOf(draft).splice(
      random.pick([0, piecesOf(draft).length]),
      0,
      ...Array.from({ length: count }, () => random.pick(['', 'a', '&%', 'a=1'])),
    )
  },
  dropQuery: (draft) => void (draft.pieces = undefined),
}

// ── fields side by side ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What can be moved between: the path, each value, and the address. */
interface Slot {
  get(): string
  set(text: string): void
}

function slotsOf(draft: Draft): Slot[] {
  const slots: Slot[] = [{ get: () => draft.path, set: (text) => void (draft.path = text) }]
  for (const [index, piece] of (draft.pieces ?? []).entries())
    slots.push({
      get: () => valueIn(piecesOf(draft)[index] ?? ''),
      set: (text) => void (piecesOf(draft)[index] = `${nameOf(piece)}=${text}`),
    })
  if (draft.ip) slots.push({ get: () => draft.ip ?? '', set: (text) => void (draft.ip = text) })
  return slots
}

/** NGINX decodes the path, and not the arguments: what leaves the path may have to be decoded. */
const moved = (random: Random, text: string): string => {
  if (random.chance(0.4)) return text
  try {
    return random.chance(0.7) ? decodeURIComponent(text) : encodeURIComponent(text)
  } catch {
    return text
  }
}

/** The places where a text has one of the scheme's separators, raw or escaped. */
function separatorsIn(text: string, separators: readonly string[]): { start: number; end: number; separator: string }[] {
  return separators.flatMap((separator) => {
    const found: { start: number; end: number; separator: string }[] = []
    for (const spelling of new Set([separator, encoded(separator), encodedLower(separator)]))
      for (let start = text.indexOf(spelling); start >= 0; start = text.indexOf(spelling, start + 1))
        found.push({ start, end: start + spelling.length, separator })
    return found
  })
}

const fields: Readonly<Record<string, Mutation>> = {
  moveBytes: (draft, random) => {
    const slots = slotsOf(draft)
    const [from, to] = [random.pick(slots), random.pick(slots)]
    if (from === to) return
    const [text, other] = [from.get(), to.get()]
    const cut = placeIn(random, text)
    if (random.chance(0.5)) {
      from.set(text.slice(0, cut))
      to.set(moved(random, text.slice(cut)) + other)
    } else {
      from.set(text.slice(cut))
      to.set(other + moved(random, text.slice(0, cut)))
    }
  },
  /** Cuts a field at a separator, and puts what follows in front of another field, with a separator between them. */
  moveField: (draft, random) => {
    const slots = slotsOf(draft)
    const sources = slots.filter((slot) => separatorsIn(slot.get(), draft.separators).length)
    const from = random.pick(sources.length ? sources : slots)
    const to = random.pick(slots)
    if (from === to) return
    const text = from.get()
    const found = separatorsIn(text, draft.separators)
    const place = found.length ? random.pick(found) : { start: placeIn(random, text), end: 0, separator: random.pick(['|', ':', ',', '']) }
    const cut = { ...place, end: place.end || place.start }
    if (random.chance(0.7)) {
      from.set(text.slice(0, cut.start))
      to.set(moved(random, text.slice(cut.end)) + cut.separator + to.get())
    } else {
      from.set(text.slice(cut.end))
      to.set(to.get() + cut.separator + moved(random, text.slice(0, cut.start)))
    }
  },
  exchange: (draft, random) => {
    const slots = slotsOf(draft)
    const [one, two] = [random.pick(slots), random.pick(slots)]
    const text = one.get()
    one.set(two.get())
    two.set(text)
  },
}

// ── splices ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const splices: Readonly<Record<string, Mutation>> = {
  /** Takes some parameters from another link of the same keys. */
  parameters: (draft, random) => {
    const other = random.pick(draft.others)
    const theirs = (other.target.query ?? '').split('&')
    const pieces = piecesOf(draft)
    for (const piece of theirs) {
      if (random.chance(0.6)) continue
      const index = pieces.findIndex((mine) => nameOf(mine) === nameOf(piece))
      if (index >= 0) pieces[index] = piece
      else pieces.push(piece)
    }
  },
  path: (draft, random) => void (draft.path = random.pick(draft.others).target.path),
  query: (draft, random) => void (draft.pieces = random.pick(draft.others).target.query?.split('&')),
  origin: (draft, random) => void (draft.origin = random.pick(draft.others).target.origin),
  segment: (draft, random) => {
    const theirs = random.pick(draft.others).target.path.split('/')
    const mine = draft.path.split('/')
    const index = random.below(Math.max(mine.length, theirs.length))
    mine[index] = theirs[index] ?? theirs.at(-1) ?? ''
    draft.path = mine.join('/')
  },
  /** A signature of another encoding: hex, base64, base64url; or two halves of two. */
  signature: (draft, random) => {
    const other = random.pick(draft.others)
    const theirs = other.profile.signatureOf(other.target)
    const slots = slotsOf(draft).slice(1)
    const slot = random.pick(slots.length ? slots : slotsOf(draft))
    const half = Math.floor(slot.get().length / 2)
    const bytes = Buffer.from(theirs, /^[\da-f]+$/.test(theirs) ? 'hex' : 'base64url')
    slot.set(
      random.pick([
        theirs,
        bytes.toString('hex'),
        bytes.toString('base64url'),
        encodeURIComponent(bytes.toString('base64')),
        slot.get().slice(0, half) + theirs.slice(half),
        slot.get() + theirs,
      ]),
    )
  },
  condition: (draft, random) => {
    const { conditions } = random.pick(draft.others)
    draft.ip = typeof conditions['ip'] === 'string' ? conditions['ip'].split('/')[0] : draft.ip
    draft.method = [conditions['method'] ?? 'GET'].flat()[0] as string
  },
}

// ── path ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const DOTS = [
  '.',
  '..',
  '%2e',
  '%2E%2e',
  '.%2E',
  '..;',
  '..%3B',
  '%2e%2e;x',
  '..%00',
  '..%2F',
  '%2F..',
  '..%5C',
  '%5C..',
  '..\\',
  '\\..',
  '..%252F',
  '...',
  'a%2F..',
  '%2e%2e%2f',
]

function editSegments(draft: Draft, edit: (segments: string[]) => void): void {
  const segments = draft.path.split('/').slice(1)
  edit(segments)
  draft.path = `/${segments.join('/')}`
}

const paths: Readonly<Record<string, Mutation>> = {
  changeSegment: (draft, random) =>
    editSegments(draft, (segments) => {
      const index = at(random, segments)
      segments[index] = changed(random, segments[index] ?? '')
    }),
  respell: (draft, random) => void (draft.path = respell(random, draft.path)),
  insert: (draft, random) => editSegments(draft, (segments) => void segments.splice(random.below(segments.length + 1), 0, token(random))),
  drop: (draft, random) => editSegments(draft, (segments) => void segments.splice(at(random, segments), 1)),
  /** `x/..` in any spelling, where it changes nothing for a server that resolves it. */
  detour: (draft, random) =>
    editSegments(draft, (segments) => {
      const detour = random.pick([
        [random.pick(['x', 'admin', 'a']), random.pick(DOTS)],
        [random.pick(DOTS)],
        ['', random.pick(DOTS)],
        ['.'],
      ])
      segments.splice(random.below(segments.length + 1), 0, ...detour)
    }),
  slashes: (draft, random) => {
    const index = random.pick([0, draft.path.lastIndexOf('/'), draft.path.length])
    draft.path = draft.path.slice(0, index) + random.pick(['/', '//', '\\', '/\\', '%2F', '%5C', '/.', ';/']) + draft.path.slice(index)
  },
  slashSpelling: (draft, random) => {
    const index = draft.path.indexOf('/', random.below(draft.path.length))
    if (index > 0)
      draft.path = `${draft.path.slice(0, index)}${random.pick(['%2F', '%2f', '\\', '%5C', '//', ';', ''])}${draft.path.slice(index + 1)}`
  },
  suffix: (draft, random) =>
    void (draft.path += random.pick([
      ';x',
      ';',
      '%3Bx',
      '.',
      '%20',
      '+',
      '%00',
      '%00.png',
      '/',
      '/..',
      '/../',
      '/x',
      '%0A',
      '~',
      '%',
      ' ',
      '%2F..',
      '%5C..',
      'a%2F..',
    ])),
  front: (draft, random) => {
    const front = random.pick([
      '//evil.example',
      '/\\evil.example',
      '/evil.example',
      '//',
      '/admin',
      '/..',
      '///',
      '/a/b',
      '/%2Fevil.example',
      '/;',
    ])
    draft.path = front + draft.path
  },
  /** Another first segment: schemes with a token in the path leave it uncovered. */
  first: (draft, random) =>
    editSegments(
      draft,
      (segments) =>
        void segments.splice(
          0,
          1,
          ...random.pick([['admin'], ['', 'evil.example'], ['', ''], ['a', 'b'], [''], ['..'], ['%2e%2e'], ['\\']]),
        ),
    ),
  below: (draft, random) => void (draft.path = draft.path.replace(/\/?$/, '') + path(random)),
  replace: (draft, random) => void (draft.path = path(random)),
}

// ── the rest of a URL ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const forms: Readonly<Record<string, Mutation>> = {
  fragment: (draft, random) => void (draft.fragment = random.pick(['#', '#&c=2', `#${token(random)}`, '#&c=2&a=3', '#?', '#/../x'])),
  noOrigin: (draft) => void (draft.origin = ''),
  origin: (draft, random) => void (draft.origin = random.pick(HOSTS)),
  originText: (draft, random) => {
    const origin = draft.origin || random.pick(HOSTS)
    draft.origin = random.pick([
      origin.toUpperCase(),
      origin.replace(/^https?:/i, random.pick(['http:', 'https:', 'ftp:', 'javascript:', 'HTTP:', ''])),
      `${origin}${random.pick([':443', ':80', ':8443', ':', '.', ':0443', '%00', '\t', '@evil.example'])}`,
      origin.replace('://', random.pick(['://evil.example@', '://u:p@', ':///', ':/', ':\\\\', '://evil.example\\'])),
      origin.replace('\ufffd', random.pick(['\ud800', '\udc00', '%EF%BF%BD', '?'])),
    ])
  },
  target: (draft, random) => {
    // Request targets in other forms than origin form.
    const target = random.pick([
      '*',
      '',
      'files.test:443',
      draft.path.slice(1),
      `\\${draft.path}`,
      ` ${draft.path}`,
      `${draft.path} HTTP/1.1`,
    ])
    Object.assign(draft, { origin: '', path: target })
  },
  doubleMark: (draft, random) => void (draft.path += random.pick(['?', '%3F', '?a=1?', '?&'])),
}

const request: Readonly<Record<string, Mutation>> = {
  method: (draft, random) => void (draft.method = random.pick(METHODS)),
  ip: (draft, random) => void (draft.ip = random.chance(0.1) ? undefined : random.pick(random.chance(0.7) ? ADDRESSES : ODD_ADDRESSES)),
  ipDigit: (draft, random) => void (draft.ip = draft.ip && changed(random, draft.ip)),
  header: (draft, random) => void (draft.headers[random.pick(HEADERS)] = random.pick(HEADER_VALUES)),
  noHeaders: (draft) => void (draft.headers = {}),
  time: (draft, random) => {
    const { conditions, end } = random.pick(draft.others)
    const edge = random.chance(0.7) ? end : Number(conditions['starts'] ?? NOW)
    draft.now = edge + random.pick([-1, 0, 1, 999, 1000, 1001, -1000, 300_000, 301_000, -300_000, 86_400_000 * 400, -86_400_000])
  },
  /** Around a start or an end of a key, or at any time within the lives of links. */
  timeOfKey: (draft, random) => {
    const edge = draft.keyTimes.length && random.chance(0.5) ? random.pick(draft.keyTimes) : NOW + random.below(7 * DAY)
    draft.now = edge + random.pick([-1, 0, 1, 999, 1000, 300_000, 301_000, 7_200_000])
  },
  tolerance: (draft, random) => void (draft.tolerance = random.pick([1, 60, 300, 3600])),
}

/** Kinds of mutations, with how often each is taken. */
const KINDS: readonly (readonly [weight: number, kind: string, list: Readonly<Record<string, Mutation>>])[] = [
  [30, 'query', query],
  [16, 'fields', fields],
  [14, 'splice', splices],
  [24, 'path', paths],
  [8, 'form', forms],
  [12, 'request', request],
]
const ALL = KINDS.flatMap(([weight, kind, list]) => Array.from({ length: weight }, () => ({ kind, list, names: Object.keys(list) })))

/** Changes a draft once, and answers the name of the change. */
export function mutate(draft: Draft, random: Random): string {
  const { kind, list, names } = random.pick(ALL)
  const name = random.pick(names)
  list[name]?.(draft, random)
  return `${kind}.${name}`
}

/** Changes that know nothing of structure: cut off, cut out, inserted, repeated. */
export function mangle(random: Random, text: string): string {
  const start = random.below(text.length + 1)
  const end = start + random.below(8)
  switch (random.below(5)) {
    case 0:
      return text.slice(0, start)
    case 1:
      return text.slice(0, start) + text.slice(end)
    case 2:
      return text.slice(0, start) + token(random, 0.2) + text.slice(start)
    case 3:
      return text.slice(0, end) + text.slice(start)
    default:
      return random.chance(0.02)
        ? text + text.slice(start, end).repeat(4000)
        : text.slice(0, start) + text.slice(start, end).repeat(3) + text.slice(end)
  }
}

/** Takes a draft anew from a text that was mangled. */
export function reread(draft: Draft, text: string): Draft {
  const { origin, path, query, fragment } = targetOf(text)
  return { ...draft, origin, path, pieces: query?.split('&'), fragment }
}
