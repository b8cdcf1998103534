// The tables of schemes in README.md and docs/schemes/README.md are those that `npm run tables` writes.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './built.ts'
import { tablesOf } from './tables.mjs'

test('npm run tables would change nothing', async () => {
  for (const [path, text] of Object.entries(await tablesOf(root))) {
    const file = join(root, path)
    expect(existsSync(file) ? readFileSync(file, 'utf8') : '', `${path}: run npm run tables`).toBe(text)
  }
})
