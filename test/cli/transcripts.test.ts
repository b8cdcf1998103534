// Transcripts of the command: each line after `$ ` runs in a shell, and standard output (`> `), standard error (`! `) and the exit code (`= `)
// must be as the file has them. UPDATE=1 writes the files anew; then read the difference.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { schemeNames } from '../../src/cli/scheme.ts'
import { built, root } from '../built.ts'

const here = join(root, 'test/cli/transcripts')
let folder: string

beforeAll(async () => {
  await built()
  folder = mkdtempSync(join(tmpdir(), 'securelink-'))
  writeFileSync(join(folder, 'securelink'), `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'dist/cli/bin.js')}' "$@"\n`)
  chmodSync(join(folder, 'securelink'), 0o755)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** One command and its result, in the form of the files. */
function run(command: string): string {
  const { stdout, stderr, status } = spawnSync('sh', ['-c', command], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: `${folder}:${process.env['PATH']}`, SECURELINK_KEYS: '2026-11:0123456789abcdef0123456789abcdef' },
  })
  const marked = (text: string, mark: string) =>
    text
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => `${mark} ${line}`.trimEnd())
  return [`$ ${command}`, ...(stdout ? marked(stdout, '>') : []), ...(stderr ? marked(stderr, '!') : []), `= ${status}`].join('\n')
}

for (const file of readdirSync(here))
  describe(file, () => {
    const text = readFileSync(join(here, file), 'utf8')
    const results: string[] = []
    const blocks = text.split(/^(?=\$ )/m)
    for (const block of blocks.slice(1)) {
      const [, command = ''] = /^\$ (.*)$/m.exec(block) ?? []
      test(command, () => {
        const result = run(command)
        results.push(result)
        if (process.env['UPDATE'] === undefined) expect(result).toBe(block.trimEnd())
      })
    }
    afterAll(() => {
      if (process.env['UPDATE'] !== undefined) writeFileSync(join(here, file), `${blocks[0]}${results.join('\n\n')}\n`)
    })
  })

test('every scheme of the package can be named', () => {
  const files = readdirSync(join(root, 'src/schemes')).filter((name) => name.endsWith('.ts'))
  expect(schemeNames()).toEqual(files.map((name) => name.replace('.ts', '')).sort())
})
