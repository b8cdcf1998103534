// Mistakes with the tokens of Alibaba's and Tencent's networks: a plain hash of path, time and key.
import { split } from '../../lib/url.ts'
import { type Attempt, SECRET_MARK } from '../attempt.ts'
import { rawValue } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

/** The parts of a string to sign. */
interface Parts {
  readonly path: string
  readonly time: string
  readonly rand: string
  readonly uid: string
}

const IN_FRONT = /^\/(?:(\d{12})\/[\da-f]{32,64}|[\da-f]{32,64}\/([\da-fA-F]{8}))(\/.*)$/s

function partsOf({ url, scheme: { parameters } }: Attempt): Parts | undefined {
  const { path } = split(url)
  const [first, second] = parameters
  if (second !== undefined) return { path, time: rawValue(url, second) ?? '', rand: '0', uid: '0' }
  if (first !== undefined) {
    const [time = '', rand = '', uid = ''] = (rawValue(url, first) ?? '').split('-')
    return { path, time, rand, uid }
  }
  const [, minutes, hex, file] = IN_FRONT.exec(path) ?? []
  return file === undefined ? undefined : { path: file, time: minutes ?? hex ?? '', rand: '0', uid: '0' }
}

/** Strings that the signer may have made of the parts. */
const strings = (change: (parts: Parts) => readonly string[]) => (attempt: Attempt) => {
  const parts = partsOf(attempt)
  return parts ? rewrites(...change(parts).map((text) => () => text)) : []
}

const KEY = SECRET_MARK

export const TIMESTAMP_TOKEN: Table = {
  schemes: ['alibaba-cdn', 'tencent-cdn'],
  forms: {
    auth_key: 'timestamp-rand-uid-md5hash, with a time of ten digits and a hash of 32 hex digits in lower case',
    sign: 'timestamp-rand-uid-hash in type A, and the hash in type D, in lower case',
    KEY1: '32 hex digits in lower case',
    KEY2: 'a time in hexadecimal, of eight digits',
    t: 'a time in seconds since 1970, of ten decimal digits, or with timeFormat hex of eight hexadecimal ones',
  },
  rules: [
    {
      code: 'field_order',
      kind: 'text',
      rarity: 1,
      sentence: 'Path, time and key were joined in another order, or with other separators, than the type of the link has.',
      remedy: 'Hash path-timestamp-rand-uid-key for type A, key timestamp path for type B, and key path timestamp for types C and D.',
      variants: strings(({ path, time, rand, uid }) =>
        ['', '-'].flatMap((joint) =>
          [
            [path, time, rand, uid, KEY],
            [path, time, uid, rand, KEY],
            [KEY, path, time, rand, uid],
            [KEY, time, path],
            [KEY, path, time],
            [path, time, KEY],
            [path, KEY, time],
            [time, path, KEY],
            [time, KEY, path],
          ].map((fields) => fields.join(joint)),
        ),
      ),
    },
    {
      code: 'no_secret',
      kind: 'text',
      rarity: 2,
      sentence: 'The key was left out of the hash.',
      remedy: 'Hash the key together with path and time. Without it, everybody can make links.',
      variants: strings(({ path, time, rand, uid }) => [
        `${path}-${time}-${rand}-${uid}`,
        `${path}-${time}-${rand}-${uid}-`,
        time + path,
        path + time,
      ]),
    },
    {
      code: 'time_spelling',
      kind: 'text',
      rarity: 1,
      sentence: 'The time was hashed in another spelling than the link has: hexadecimal or decimal, in upper or lower case.',
      remedy: 'Hash the time as the link has it.',
      variants: strings(({ path, time }) => {
        const seconds = Number.parseInt(time, time.length === 8 ? 16 : 10)
        const spellings = [time.toLowerCase(), time.toUpperCase(), `${seconds}`, seconds.toString(16), seconds.toString(16).toUpperCase()]
        return [...new Set(spellings)].filter((other) => other !== time).map((other) => KEY + path + other)
      }),
    },
  ],
}
