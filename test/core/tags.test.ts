// HMAC with whole and truncated tags, against Python's hmac module: test/core/tags.json, written by make_tags.py.
//
// Wycheproof's files have the same form. To run them as well, name the folder that has its hmac_sha1_test.json and so on:
//   WYCHEPROOF=path/to/testvectors_v1 npx vitest run --config test/vitest.config.ts --project node test/core/tags.test.ts
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compute, matches, readyKey, spell } from '../../src/core/crypto.ts'
import type { Algorithm, Encoding, Hash } from '../../src/core/scheme.ts'

interface Tag {
  readonly comment: string
  readonly key: string
  readonly msg: string
  readonly tag: string
  readonly result: 'valid' | 'invalid'
}
interface File {
  readonly algorithm: string
  readonly testGroups: readonly { readonly keySize: number; readonly tagSize: number; readonly tests: readonly Tag[] }[]
}

const HASHES: Readonly<Record<string, Hash>> = { HMACSHA1: 'SHA-1', HMACSHA256: 'SHA-256', HMACSHA384: 'SHA-384', HMACSHA512: 'SHA-512' }
const BITS: Readonly<Record<Hash, number>> = { 'SHA-1': 160, 'SHA-256': 256, 'SHA-384': 384, 'SHA-512': 512 }
const ENCODINGS: readonly Encoding[] = ['hex', 'base64', 'base64url']

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'))
const folder = process.env['WYCHEPROOF']
const files: readonly File[] = [
  ...read(join(import.meta.dirname, 'tags.json')),
  ...(folder ? ['sha1', 'sha256', 'sha384', 'sha512'].map((name) => read(join(folder, `hmac_${name}_test.json`))) : []),
]

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))

describe.each(ENCODINGS)('in %s', (encoding) => {
  for (const { algorithm: name, testGroups } of files)
    for (const { keySize, tagSize, tests } of testGroups)
      test(`${name}, a key of ${keySize} bits, a tag of ${tagSize}: ${tests.length} tags`, async () => {
        const hash = HASHES[name] as Hash
        const algorithm: Algorithm = { hmac: hash, encoding, ...(tagSize < BITS[hash] && { bytes: tagSize / 8 }) }
        const wrong: string[] = []
        for (const { comment, key, msg, tag, result } of tests) {
          const ready = await readyKey({ secret: bytes(key) }, algorithm)
          const spelled = Buffer.from(tag, 'hex').toString(encoding)
          const computed = spell(await compute(ready, algorithm, bytes(msg)), algorithm)
          const matched = await matches(ready, algorithm, bytes(msg), spelled)
          const valid = result === 'valid'
          if (matched !== valid || (computed === spelled) !== valid) wrong.push(`${comment}: ${matched ? 'accepted' : 'refused'}`)
        }
        expect(wrong).toEqual([])
      })
})

test('all kinds of changes were there, for every hash and both lengths of tags', () => {
  for (const { algorithm, testGroups } of files) {
    const changed = testGroups.map(({ tagSize, tests }) => ({ tagSize, count: tests.filter(({ result }) => result === 'invalid').length }))
    expect(
      changed.filter(({ count }) => count >= 40).map(({ tagSize }) => tagSize),
      algorithm,
    ).toHaveLength(2)
  }
})

test('a tag of another length is refused: cut by a byte, longer by a byte, and empty', async () => {
  for (const [name, hash] of Object.entries(HASHES)) {
    for (const cut of [undefined, 16]) {
      const algorithm: Algorithm = { hmac: hash, encoding: 'hex', ...(cut && { bytes: cut }) }
      const ready = await readyKey({ secret: 'a secret of the test' }, algorithm)
      const whole = spell(await compute(ready, algorithm, 'message'), algorithm)
      expect(await matches(ready, algorithm, 'message', whole), name).toBe(true)
      for (const other of ['', whole.slice(2), whole.slice(0, -2), `${whole}00`, `00${whole}`, `${whole}${whole}`])
        expect(await matches(ready, algorithm, 'message', other), `${name} ${other.length}`).toBe(false)
    }
  }
})
