// securelink sign: its errors, and the dates of keys in JSON.
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { main } from '../../src/cli/main.ts'

const SECRET = '0123456789abcdef0123456789abcdef'

async function run(args: readonly string[], { keys = `2026-11:${SECRET}`, input = '' } = {}) {
  let out = ''
  let errors = ''
  const exit = await main(args, {
    stdin: Readable.from(input ? [Buffer.from(input)] : []),
    stdout: { write: (text) => void (out += text) },
    stderr: { write: (text) => void (errors += text) },
    env: { SECURELINK_KEYS: keys },
    signal: new AbortController().signal,
  })
  return { exit, out, errors }
}

describe('the error for a URL', () => {
  const past = ['sign', '--expires', '2020-01-01']
  const sentence = 'expires must be a time in the future, before the year 5138\n'

  test('has no number of a line if the URL is the only one', async () => {
    expect(await run([...past, '/x'])).toMatchObject({ exit: 2, errors: `securelink sign: ${sentence}` })
  })
  test('has one for several URLs, and for standard input', async () => {
    const { errors } = await run([...past, '/x', '/y'])
    expect(errors).toBe(`securelink sign: line 1: ${sentence}securelink sign: line 2: ${sentence}`)
    for (const args of [past, [...past, '-']])
      expect((await run(args, { input: '/x\n' })).errors).toBe(`securelink sign: line 1: ${sentence}`)
  })
})

describe('the dates of keys in JSON', () => {
  const signWith = (dates: object) =>
    run(['sign', '/x', '--expires', '10m', '--now', '2030-06-01T00:00:00Z'], { keys: JSON.stringify([{ secret: SECRET, ...dates }]) })

  test.each(['2031-01-01', '2031-01-01T00:00Z', '2031-01-01T00:00:00.5+02:00'])('%s', async (expires) => {
    expect(await signWith({ expires })).toMatchObject({ exit: 0, errors: '' })
  })
  // The engine reads some of these in its own time zone, so a key would end at another time on each machine.
  test.each(['2031-1-1', '2031-01-01T00:00:00', '2031-01-01 00:00', 'January 1, 2031', '2031', '2031-02-31', '', null, 1924992000, true])(
    'and not %j',
    async (expires) => {
      const errors = (name: string) => `securelink sign: ${name} of a key must be a date such as 2030-01-01T00:00:00Z\n`
      expect(await signWith({ expires })).toEqual({ exit: 2, out: '', errors: errors('expires') })
      expect(await signWith({ starts: expires })).toEqual({ exit: 2, out: '', errors: errors('starts') })
    },
  )
})
