// The tables of schemes in README.md and docs/schemes/README.md are those that `npm run tables` writes.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hmac, sign } from '../src/index.ts'
import { root } from './built.ts'
import { find, leftOut } from './prepare.mjs'
import { tablesOf } from './tables.mjs'

test('npm run tables would change nothing', async () => {
  for (const [path, text] of Object.entries(await tablesOf(root))) {
    const file = join(root, path)
    expect(existsSync(file) ? readFileSync(file, 'utf8') : '', `${path}: run npm run tables`).toBe(text)
  }
})

test('the link at the top of README.md is a real one', async () => {
  const links = hmac({ id: '2026-11', secret: 'a secret of 32 bytes or more, from a vault' })
  const link = await sign(links, 'https://cdn.example/report.pdf?page=2', { expires: new Date(1_900_000_000_000) })
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`\n${link}\n`)
})

const deno = find('deno')
test.skipIf(!deno)(
  deno ? 'the package for JSR passes its dry run, types included' : leftOut('deno'),
  () => {
    const args = ['publish', '--dry-run', '--allow-dirty', '--config', 'jsr.json']
    const { status, stderr } = spawnSync(deno as string, args, { cwd: root, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } })
    expect(stderr).not.toMatch(/^(warning|error)/im)
    expect(status).toBe(0)
  },
  120_000,
)
