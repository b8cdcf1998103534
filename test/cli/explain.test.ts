// securelink explain, and verify --explain: what they write, and their exit codes.
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { hmac, sign } from '../../src/index.ts'
import { nginx } from '../../src/schemes/nginx.ts'

const SECRET = '0123456789abcdef0123456789abcdef'
const now = () => new Date('2030-01-01T00:00:00Z')
const NOW = ['--now', '2030-01-01T00:00:00Z']

async function run(args: readonly string[], keys = `2026-11:${SECRET}`) {
  let out = ''
  let errors = ''
  const exit = await main(args, {
    stdin: Readable.from([]),
    stdout: { write: (text) => void (out += text) },
    stderr: { write: (text) => void (errors += text) },
    env: { SECURELINK_KEYS: keys },
    signal: new AbortController().signal,
  })
  return { exit, out, errors }
}

describe('securelink explain', () => {
  test('shows the two strings side by side, with the first difference marked', async () => {
    const options = { expression: '$secure_link_expires$uri $secret' }
    const other = nginx({ secret: 'enigma' }, { expression: '$uri$secure_link_expires $secret' })
    const link = await sign(other, 'https://cdn.example/s/a.txt', { expires: '10m' }, { now })
    const { exit, out } = await run(['explain', '--scheme', 'nginx', '--options', JSON.stringify(options), ...NOW, link], 'enigma')
    expect(exit).toBe(1)
    expect(out).toContain('refused bad_signature')
    expect(out).toContain('(field_order)')
    expect(out).toContain('secure_link_md5 "$uri$secure_link_expires $secret";')
    expect(out).toMatch(/> 1893456600\/s\/a\.txt <secret> +\| \/s\/a\.txt1893456600 <secret>\n {2}\^ +\| \^\n/)
    expect(out).not.toContain('enigma')
  })

  test('--json writes an object a line, and verify --explain does the same', async () => {
    const keys = { id: '2026-11', secret: SECRET }
    const link = await sign(hmac(keys, { origin: true }), 'https://cdn.example/a', { expires: '10m' }, { now })
    for (const verb of [['explain'], ['verify', '--explain']]) {
      const { exit, out } = await run([...verb, '--json', ...NOW, link])
      expect(exit).toBe(1)
      expect(JSON.parse(out)).toMatchObject({ verdict: { reason: 'bad_signature' }, mistakes: [{ code: 'option' }] })
    }
  })

  test('a valid link', async () => {
    const link = await sign(hmac({ id: '2026-11', secret: SECRET }), 'https://cdn.example/a', { expires: '10m' }, { now })
    const { exit, out } = await run(['explain', ...NOW, link])
    expect(exit).toBe(0)
    expect(out).toMatch(/^ok hmac\n/)
    expect(out).not.toContain('expected signature')
  })

  test('a link that no known mistake made', async () => {
    const link = await sign(hmac({ id: '2026-11', secret: `${SECRET.slice(2)}xyz` }), 'https://cdn.example/a', { expires: '10m' }, { now })
    const { exit, out } = await run(['explain', ...NOW, '--bound', '300', link])
    expect(exit).toBe(1)
    expect(out).toContain('None of the known mistakes made this signature')
  })

  test('a wrong bound is refused', async () => {
    expect(await run(['explain', '--bound', 'many', 'https://cdn.example/a'])).toMatchObject({ exit: 2 })
  })
})
