// The folder is the list: a scheme that is added as docs/adding-a-scheme.md says is compiled, built, tested, documented and usable at the command
// line, and no existing file is edited. It happens in a copy of the project.
import { execFile, execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from './built.ts'

const run = promisify(execFile)
const COPIED = ['src', 'test', 'docs', 'package.json', 'tsconfig.json', 'rollup.config.mjs', 'README.md']

const copy = mkdtempSync(join(tmpdir(), 'securelink-adding-'))
afterAll(() => rmSync(copy, { recursive: true, force: true }))

const page = readFileSync(join(root, 'docs/adding-a-scheme.md'), 'utf8')

/** The first fence of this language that has the text. */
function fenceWith(language: string, text: string): string {
  const fences = [...page.matchAll(/^```(\w+)[^\n]*\n([\s\S]*?)^```$/gm)]
  const found = fences.find(([, its, code = '']) => its === language && code.includes(text))
  if (!found) throw new Error(`docs/adding-a-scheme.md has no ${language} with ${text}`)
  return found[2] as string
}

const EXPIRY = 1_900_000_000
const signature = createHmac('sha256', 'acme key').update(`/a.jpg\n${EXPIRY}`).digest('hex')
const link = `https://cdn.example/a.jpg?exp=${EXPIRY}&sig=${signature}`

/** The vectors of the page with the signature that it leaves out, and one for each further reason. */
function vectors(): string {
  const file = JSON.parse(fenceWith('json', '"acme-cdn"'))
  const [group] = file.testGroups
  const [first] = group.tests
  first.link = first.link.replace('…', signature)
  const { now } = first.visit
  const refused: [comment: string, link: string, result: string, now: string][] = [
    ['no link', 'https://cdn.example/a.jpg', 'unsigned', now],
    ['without an expiry', link.replace(`exp=${EXPIRY}&`, ''), 'malformed', now],
    ['another path', link.replace('a.jpg', 'b.jpg'), 'bad_signature', now],
    ['the second of the expiry', link, 'expired', new Date(EXPIRY * 1000).toISOString()],
  ]
  for (const [i, [comment, link, result, now]] of refused.entries())
    group.tests.push({ id: i + 2, comment, flags: [], link, visit: { now }, result })
  file.reasons.push(...refused.map(([, , result]) => result))
  file.numberOfTests = group.tests.length
  return JSON.stringify(file)
}

const node = (args: readonly string[], env: Record<string, string> = {}) =>
  run(process.execPath, [...args], { cwd: copy, env: { PATH: `${process.env['PATH']}`, NO_COLOR: '1', ...env }, timeout: 120_000 })
const bin = (path: string) => join(root, 'node_modules', path)

beforeAll(() => {
  for (const name of COPIED) {
    const filter = (path: string) => !path.slice(root.length).includes('node_modules')
    cpSync(join(root, name), join(copy, name), { recursive: true, filter })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  writeFileSync(join(copy, 'src/schemes/acme-cdn.ts'), fenceWith('ts', 'export function acmeCdn'))
  writeFileSync(join(copy, 'test/conformance/vectors/acme-cdn.json'), vectors())
  writeFileSync(join(copy, 'docs/schemes/acme-cdn.md'), '# acmeCdn\n\nSigned URLs of the Acme CDN.\n')
  // The rest of the build makes bundles, which takes long. This is the one that writes dist/ file for file.
  writeFileSync(join(copy, 'rollup.dist.mjs'), "import all from './rollup.config.mjs'\nexport default all[0]\n")
})

describe('a scheme that is added as docs/adding-a-scheme.md says', () => {
  test('the signature of its vector is what the openssl of the page prints', () => {
    const command = fenceWith('sh', 'openssl').trim()
    expect(execFileSync('sh', ['-c', command], { encoding: 'utf8' }).trim().split(' ').at(-1)).toBe(signature)
  })

  test('its vectors run, and those of the others still pass the checks of their files', async () => {
    const args = [
      'run',
      '--config',
      'test/vitest.config.ts',
      '--project',
      'node',
      '--reporter=json',
      'test/conformance',
      '-t',
      'acme-cdn|all are in',
    ]
    const { stdout } = await node([bin('vitest/vitest.mjs'), ...args]).catch((failed) => failed)
    const { testResults } = JSON.parse(stdout.slice(stdout.indexOf('{"')))
    const results = testResults.flatMap((file: { assertionResults: object[] }) => file.assertionResults)
    const passed = results.filter(({ status }: { status: string }) => status === 'passed').map(({ title }: { title: string }) => title)
    expect(results.filter(({ status }: { status: string }) => status === 'failed')).toEqual([])
    for (const comment of ['a plain link', 'no link', 'without an expiry', 'another path', 'the second of the expiry'])
      expect(passed).toContainEqual(expect.stringMatching(`^acme-cdn \\d: ${comment}$`))
    expect(passed).toEqual(expect.arrayContaining(['acme-cdn obeys the schema', 'acme-cdn has a vector for every reason']))
  }, 120_000)

  test('is in the tables of schemes', async () => {
    await node(['test/tables.mjs'])
    const read = (path: string) => readFileSync(join(copy, path), 'utf8')
    expect(read('README.md')).toMatch(/^\| CDNs \| .*\[`acmeCdn`\]\(docs\/schemes\/acme-cdn\.md\): the Acme CDN/m)
    expect(read('docs/schemes/README.md')).toMatch(/^\| \[`acmeCdn`\]\(acme-cdn\.md\) \| the Acme CDN \| .* \| openssl \|$/m)
  })

  test('compiles, is built, and signs and verifies at the command line', async () => {
    // The build checks the types, too.
    const { stderr } = await node([bin('rollup/dist/bin/rollup'), '-c', 'rollup.dist.mjs'])
    expect(stderr).not.toMatch(/\(!\)|error TS/)
    const env = { SECURELINK_KEYS: '{"secret":"acme key"}' }
    const verb = async (...args: string[]) => (await node(['dist/cli/bin.js', ...args], env)).stdout.trim()
    const signed = await verb('sign', '--scheme', 'acme-cdn', '--expires', '10m', 'https://cdn.example/a.jpg')
    const [, expiry = '', its = ''] = /^https:\/\/cdn\.example\/a\.jpg\?exp=(\d+)&sig=([\da-f]{64})$/.exec(signed) ?? []
    expect(its).toBe(createHmac('sha256', 'acme key').update(`/a.jpg\n${expiry}`).digest('hex'))
    expect(await verb('verify', '--scheme', 'acme-cdn', signed)).toMatch(/^ok acme-cdn /)
    const { acmeCdn } = await import(join(copy, 'dist/schemes/acme-cdn.js'))
    expect(acmeCdn({ secret: 'acme key' }).read(link)).toMatchObject({ signature })
  }, 180_000)
})
