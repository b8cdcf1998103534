// The recipes in TypeScript compile, with the types of the players and libraries. test/docs.test.ts leaves them out, because they need a page.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { built, root } from '../built.ts'
import { fence } from './site.ts'

const RECIPES: Record<string, string> = {
  hls: fence('players.md', 'hls.js'),
  'hls-loader': fence('players.md', 'With a loader'),
  shaka: fence('players.md', 'shaka-player'),
  dash: fence('players.md', 'dash.js'),
  videojs: fence('players.md', 'video.js'),
  renew: fence('renewal.md', 'The page'),
  queries: fence('renewal.md', 'TanStack Query'),
  pages: fence('renewal.md', 'Downloads and iframes'),
  upload: fence('uploads.md', 'Uploads in parts', 1),
}

test('the recipes compile', async () => {
  await built()
  const folder = join(root, 'build/recipes')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(RECIPES)) writeFileSync(join(folder, `${name}.ts`), text)
  const compilerOptions = {
    rootDir: '../..',
    // As with a bundler, which pages with these libraries have.
    module: 'esnext',
    moduleResolution: 'bundler',
    types: [],
    skipLibCheck: true,
    noEmit: true,
    declaration: false,
    isolatedDeclarations: false,
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'] }))
  const { stdout } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
    encoding: 'utf8',
    cwd: root,
  })
  expect(stdout).toBe('')
}, 120_000)
