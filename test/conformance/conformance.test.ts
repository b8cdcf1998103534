// The conformance suite under vitest, and checks of the vector files: their schema, their numbers, and a vector for every reason.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { accept, mint } from './run.ts'
import { cases } from './suite.ts'
import { schemes } from './vectors/index.ts'

describe('suite', () => {
  for (const { name, run } of cases) test(name, run)

  test('no two cases share a name', () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
  })

  test('this engine accepts what it minted', async () => {
    const lines: string[] = []
    const minted = JSON.parse(JSON.stringify(await mint()))
    expect(await accept([minted], (line) => lines.push(line)), lines.join('\n')).toBe(0)
    expect(minted.links.length).toBeGreaterThan(180)
  })
})

const folder = `${import.meta.dirname}/vectors`
const schema = JSON.parse(readFileSync(`${import.meta.dirname}/schema.json`, 'utf8'))

describe('vector files', () => {
  test('all are in the suite', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
    expect(schemes.map(({ vectors }) => `${vectors.scheme}.json`).sort()).toEqual(files.sort())
    expect(schemes.map(({ make, vectors }) => make([], vectors.testGroups[0]?.options).name)).toEqual(
      schemes.map(({ vectors }) => vectors.scheme),
    )
  })

  for (const { vectors } of schemes) {
    const tests = vectors.testGroups.flatMap((group) => group.tests)

    test(`${vectors.scheme} obeys the schema`, () => {
      expect(faults(schema, vectors, vectors.scheme)).toEqual([])
    })

    test(`${vectors.scheme} has right numbers and explains its flags`, () => {
      expect(vectors.numberOfTests).toBe(tests.length)
      expect(new Set(tests.map(({ id }) => id)).size).toBe(tests.length)
      expect([...new Set(tests.flatMap(({ flags }) => flags))].sort()).toEqual(Object.keys(vectors.notes).sort())
    })

    test(`${vectors.scheme} has a vector for every reason`, () => {
      expect([...new Set(tests.map(({ result }) => result))].sort()).toEqual([...vectors.reasons].sort())
    })

    test(`${vectors.scheme} has each covered parameter in a good link`, () => {
      const { covered } = vectors
      const good = tests.filter(({ result }) => result === 'ok').map(({ link, visit }) => visit.url ?? link)
      const names = 'allBut' in covered ? [] : covered
      expect(names.filter((name) => !good.some((url) => new RegExp(`[/?&,]${name}=[^&#/,]`).test(url)))).toEqual([])
    })
  }

  test('the schema is obeyed for its own sake: wrong files have faults', () => {
    const [file] = schemes.map(({ vectors }) => vectors)
    const wrong = (change: (copy: Record<string, unknown> & { testGroups: { tests: Record<string, unknown>[] }[] }) => unknown) => {
      const copy = JSON.parse(JSON.stringify(file))
      change(copy)
      return faults(schema, copy, 'x').length
    }
    expect(wrong((copy) => copy)).toBe(0)
    expect(wrong((copy) => delete copy['source'])).toBe(1)
    expect(wrong((copy) => (copy['extra'] = 1))).toBe(1)
    expect(wrong((copy) => (copy['scheme'] = 'No Name'))).toBe(1)
    expect(wrong((copy) => (copy.testGroups = []))).toBe(1)
    expect(wrong((copy) => copy.testGroups[0]?.tests[0] && (copy.testGroups[0].tests[0]['result'] = 'fine'))).toBe(1)
    expect(wrong((copy) => copy.testGroups[0]?.tests[0] && (copy.testGroups[0].tests[0]['visit'] = { now: '2030' }))).toBe(1)
  })
})

interface Schema {
  readonly [keyword: string]: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
}

const DESCRIBING = ['$schema', '$defs', 'title', 'description']

// As much of JSON Schema as schema.json uses.
function faults(rules: Schema, value: unknown, where: string): string[] {
  const typeOf = Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value
  const object = (typeOf === 'object' ? value : {}) as Record<string, unknown>
  const has = (name: string) => name in object
  const { properties = {}, additionalProperties = true, items } = rules
  const keywords: Record<string, (rule: never) => boolean> = {
    type: (types: string | string[]) => [types].flat().includes(typeOf),
    const: (only: unknown) => value === only,
    enum: (some: unknown[]) => some.includes(value),
    pattern: (pattern: string) => new RegExp(pattern, 'u').test(String(value)),
    minimum: (least: number) => Number(value) >= least,
    minLength: (least: number) => String(value).length >= least,
    minItems: (least: number) => (value as unknown[]).length >= least,
    required: (names: string[]) => names.every(has),
    dependentRequired: (rule: Record<string, string[]>) => Object.entries(rule).every(([name, others]) => !has(name) || others.every(has)),
    properties: () => true,
    additionalProperties: (rule: unknown) => rule !== false || Object.keys(object).every((name) => name in properties),
    items: () => true,
    $ref: () => true,
  }
  const found = Object.entries(rules)
    .filter(([keyword, rule]) => !DESCRIBING.includes(keyword) && !keywords[keyword]?.(rule as never))
    .map(([keyword]) => `${where}: ${keyword}`)
  const { $ref } = rules as { $ref?: string }
  if ($ref) found.push(...faults(schema.$defs[$ref.slice('#/$defs/'.length)], value, where))
  for (const [name, member] of Object.entries(object)) {
    const rule = properties[name] ?? additionalProperties
    if (typeof rule === 'object') found.push(...faults(rule, member, `${where}.${name}`))
  }
  if (items && Array.isArray(value)) for (const [i, item] of value.entries()) found.push(...faults(items, item, `${where}[${i}]`))
  return found
}
