// The texts of explain: each mistake of each scheme has a sentence and a remedy, and each parameter has a form in words.
import { describe, expect, test } from 'vitest'
import { schemeNames } from '../../src/cli/scheme.ts'
import { type Rule, worded } from '../../src/explain/rule.ts'
import { rulesFor } from '../../src/explain/rules/all.ts'
import { tableOf } from '../../src/explain/tables/all.ts'

const KINDS = ['link', 'request', 'text', 'secret', 'hash', 'options']
const SENTENCE = /^["'A-Z].{10,}\.$/s

describe.each(schemeNames())('%s', (name) => {
  const texts = async () => {
    const table = await tableOf(name, [])
    return { table, rules: rulesFor(table, [() => undefined as never, {}], name) }
  }

  test('each mistake has a code, a sentence and a remedy', async () => {
    const { rules } = await texts()
    for (const { code, kind, sentence, remedy } of rules) {
      expect(code).toMatch(/^[a-z][a-z\d]*(_[a-z\d]+)*$/)
      expect(KINDS, code).toContain(kind)
      for (const text of [sentence, remedy] as Rule['sentence'][]) {
        const words = worded(text, 'The-detail.')
        // The variants of some rules bring the whole sentence.
        if (words !== 'The-detail.') expect(words, code).toMatch(SENTENCE)
        if (typeof text === 'function') expect(words, code).toContain('The-detail')
      }
    }
  })

  test('its table is for it, and the form of a parameter fits after "must be"', async () => {
    const { table } = await texts()
    expect(table?.schemes ?? [name]).toContain(name)
    for (const [parameter, form] of Object.entries(table?.forms ?? {})) expect(form, parameter).toMatch(/^\S[^\n]+[^.\s]$/)
  })
})

test.each([
  ['qiniu', 'without its padding', 'keep the "="'],
  ['bytescale', 'with padding', 'remove the "="'],
])('%s: a signature in another form is %s', async (name, sentence, remedy) => {
  const rule = (await tableOf(name, []))?.rules.find(({ code }) => code === 'signature_form')
  expect(rule?.sentence).toContain(`in place of base64url, or ${sentence}.`)
  expect(rule?.remedy).toContain(`${remedy} at its end.`)
})
