// verify of hmac links inside NGINX's own JavaScript: the conformance vectors, and the configurations of docs/guide/nginx.md as the page has them.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type HmacOptions, hmac, type Scheme, type SecretKey, sign, statusOf } from '../../src/index.ts'
import { built, root } from '../built.ts'
import hmacVectors from '../conformance/vectors/hmac.json' with { type: 'json' }
import type { Vector, Vectors } from '../conformance/vectors/index.ts'
import { find, leftOut } from '../prepare.mjs'
import { fencesOf, start, withLocations } from '../schemes/nginx.mjs'

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const missing = (['nginx', 'njs'] as const).filter((part) => !find(part))
const suite = missing.length > 0 ? describe.skip : describe
for (const part of missing) test.skip(leftOut(part))

const SECRETS = { new: 'the secret of November, with 32 or more', old: 'the secret of May, with 32 bytes or more' }
const keys = [
  { id: '2026-11', secret: SECRETS.new },
  { id: '2026-05', secret: SECRETS.old },
]
const { whole, parts } = fencesOf('hmac inside NGINX')
const [page = ''] = whole
const [fromEnvironment = '', ...locations] = parts
const link = (url: string, conditions: object = {}, options: HmacOptions = {}, ring: SecretKey | SecretKey[] = keys): Promise<string> =>
  sign(hmac(ring, options) as Scheme<never>, url, { expires: '10m', ...conditions } as never)

let running: Awaited<ReturnType<typeof start>> | undefined
afterAll(() => running?.stop())

/** Starts NGINX with the configuration of the page, or with a changed one. */
async function serve(config: string, options: Parameters<typeof start>[1] = {}): Promise<NonNullable<typeof running>> {
  await built()
  await running?.stop()
  running = undefined
  const code = read('dist/njs/securelink.js')
  const served = [
    'files/a.txt',
    'files/ü 1.txt',
    'files/b/c.txt',
    'mail/a.txt',
    'app/a.txt',
    'videos/1/a.ts',
    'videos/1/b.ts',
    'secret.txt',
  ]
  const files = {
    'etc/securelink.js': code,
    'etc/securelink-keys.json': JSON.stringify(keys),
    ...Object.fromEntries(served.map((name) => [`srv/www/${name}`, `this is ${name}`])),
    ...options.files,
  }
  running = await start(config, { ...options, files })
  return running
}

suite('the conformance vectors, over HTTP', () => {
  const { testGroups, numberOfTests } = hmacVectors as unknown as Vectors
  const all = testGroups.flatMap((group) => group.tests.map((vector) => ({ group, vector })))

  // NGINX consumes no uses: `verify` answers needs_redeem.
  const redeeming = ({ visit: { redeemed }, result, claims }: Vector) =>
    redeemed !== undefined && claims?.['uses'] !== undefined && /^(ok|used)$/.test(result)
  const chosen = all.filter(({ vector }) => !redeeming(vector))

  // URLs that clients cannot send, or that NGINX answers with 400 itself. `verify` gets these from a header.
  const unsent: [why: string, holds: (url: string) => boolean][] = [
    [
      'neither a path nor a URL with a host and without a user name',
      (url) => !/^(\/|[a-z][a-z\d+.-]*:\/\/[^/?#\\@\s]+([/?#]|$))/i.test(url),
    ],
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this looks for
    ['a control character or a space', (url) => /[\u0000- \u007f]/.test(url)],
    ['an escaped zero or a broken escape in the path', (url) => /^[^?]*%(00|(?![\da-f]{2}))/i.test(url)],
    [
      'a host beyond ASCII, or two slashes in a path behind one: a request line has no host',
      (url) => /^[a-z]+:\/\/([^/?#]*[^!-~/?#]|[^?#]+\/\/)/i.test(url),
    ],
    [
      'an origin that is not of the web: a request line has no origin',
      (url) => /^(?!(https?|wss?):)[a-z]+:\/\/|^[a-z]+:\/\/[^/]*:\d+:/i.test(url),
    ],
    ['.. beyond the root', (url) => /^\/(\.|%2e){2}\//i.test(url)],
    ['almost 16,384 characters, counted with its origin', (url) => url.length > 16_000],
  ]
  const urlOf = ({ visit, link }: Vector) => visit.url ?? link
  const why = (url: string) => unsent.find(([, holds]) => holds(url))?.[0]

  const otherwise: Record<string, Vector['result']> = {
    // NGINX decodes the `%2F`, and then resolves the dots.
    'dots behind %2F are part of a name': 'wrong_path',
  }

  beforeAll(async () => {
    const config = withLocations(
      `load_module modules/ngx_http_js_module.so;\nevents {}\nhttp {\n  server {\n    listen 80;\n  }\n}\n`,
      'location / { js_content vectors.judge; }',
    )
    const http = 'js_import vectors from /etc/nginx/vectors.js; large_client_header_buffers 4 128k; access_log off;'
    await serve(config.replace('http {', `http {\n${http}`), { files: { 'etc/vectors.js': read('test/njs/vectors.njs.js') } })
  }, 180_000)

  test('all vectors but those that redeem', () => {
    expect(all.length).toBe(numberOfTests)
    expect(all.filter(({ vector }) => redeeming(vector))).toHaveLength(8)
  })

  const [sent, carried]: [number[], number[]] = [[], []]
  test.each(chosen.map((one) => [one.vector.id, one.vector.comment, one] as const))('%i: %s', async (_id, _comment, { group, vector }) => {
    const url = urlOf(vector)
    const [origin = ''] = /^[a-z][a-z\d+.-]*:\/\/[^/?#\\@\s]+/i.exec(url) ?? []
    const path = url.slice(origin.length)
    const { now, revoked, method, ip, tolerance } = vector.visit
    const named = method && /^[A-Z-]+$/.test(method)
    const covered = (group.options as HmacOptions).origin
    const whole = why(url)
    const asked = {
      now,
      revoked,
      url: whole === undefined ? undefined : url,
      settings: {
        ...group.options,
        keys: group.keys,
        ip,
        tolerance,
        origin: covered && !whole ? origin : undefined,
        ...(named ? {} : { method }),
      },
    }
    const answer = await running?.visit(whole === undefined ? path.replace(/^(?!\/)/, '/') : '/', {
      method: named ? method : 'GET',
      headers: { 'x-vector': encodeURIComponent(JSON.stringify(asked)) },
    })
    ;(whole === undefined ? sent : carried).push(vector.id)
    expect(answer?.status).toBe(200)
    const verdict = JSON.parse(decodeURIComponent(`${answer?.headers['x-verdict']}`))
    const result = otherwise[vector.comment] ?? vector.result
    expect(verdict.result, JSON.stringify(verdict)).toBe(result)
    if (result === 'ok') expect(verdict.scheme).toBe('hmac')
    else expect(verdict.status).toBe(statusOf(result))
    if (!vector.claims) return
    const { resource } = vector.claims as { resource: string }
    const dates = Object.fromEntries(
      ['expires', 'starts'].flatMap((name) => (vector.claims?.[name] ? [[name, new Date(`${vector.claims[name]}`).toISOString()]] : [])),
    )
    // A request line has no origin.
    const bare = covered || whole !== undefined ? resource : resource.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]+/, '')
    expect(verdict.claims).toEqual({ ...vector.claims, ...dates, resource: bare })
  })

  test('every vector of the file was run, and the error log is empty', () => {
    const reasons = carried.map((id) => `${id}: ${why(urlOf(all.find(({ vector }) => vector.id === id)?.vector as Vector))}`)
    console.log(
      `${numberOfTests} vectors: ${sent.length} as request lines, 8 redeem, ${carried.length} in a header:\n${reasons.join('\n')}`,
    )
    expect(sent.length + carried.length + 8).toBe(numberOfTests)
    expect(carried.length).toBeLessThan(35)
    expect(running?.log()).toBe('')
  })
})

// A request from another address.
const elsewhere = { localAddress: '127.0.0.2' }
const past = (url: string, options: HmacOptions = {}): Promise<string> =>
  sign(hmac(keys, options) as Scheme<never>, url, { expires: new Date(1_600_000_000_000) } as never, {
    now: () => new Date(1_500_000_000_000),
  })
const changed = (url: string, at: number) => url.slice(0, at) + (url[at] === 'A' ? 'B' : 'A') + url.slice(at + 1)

suite('the configuration of the page', () => {
  let at: NonNullable<typeof running>
  const status = async (url: string, options: object = {}) => (await at.visit(url, options)).status
  // NGINX writes the line after the answer and before it reads the next request.
  const reason = async () => {
    await at.visit('/marker')
    const lines = readFileSync(join(at.folder, 'log/links.log'), 'utf8').trimEnd().split('\n')
    const own = lines.filter((line) => !line.includes('/marker'))
    return own.at(-1)?.split(' ').at(-1)
  }

  beforeAll(async () => {
    at = await serve(withLocations(page, ...locations))
  }, 60_000)

  test('has one whole configuration, the line for the environment, and locations', () => {
    expect([whole.length, fromEnvironment.trim(), locations.length]).toEqual([1, 'env SECURELINK_KEYS;', 2])
  })

  test('a valid link admits GET and HEAD', async () => {
    const good = await link('/files/a.txt')
    expect(await at.visit(good)).toMatchObject({ status: 200, body: 'this is files/a.txt' })
    expect(await status(good, { method: 'HEAD' })).toBe(200)
    // Clients do not send a fragment, and proxies would pass it on.
    expect([await status(`${good}#part`), await reason()]).toEqual([400, 'malformed'])
    expect(await at.visit(await link('/files/ü 1.txt'.replaceAll(' ', '%20')))).toMatchObject({ body: 'this is files/ü 1.txt' })
    expect(await at.visit(await link('/files/%C3%BC%201.txt?q=ü&a=%zz'))).toMatchObject({ body: 'this is files/ü 1.txt' })
    expect(await status(await link('/files/none.txt'))).toBe(404)
    expect(await status('/files/a.txt')).toBe(403)
    expect(await reason()).toBe('unsigned')
  })

  test('a link with one changed character is refused, whichever it is', async () => {
    for (const good of [
      await link('/files/a.txt'),
      await link('/files/a.txt?q=1', { method: ['GET', 'PUT'], id: 'x', prefix: '/files/' }),
    ]) {
      expect(await status(good)).toBe(200)
      // Without the `?`, all of it would be a path.
      for (let i = '/files/a'.length; i < good.length; i++)
        if (good[i] !== '?') expect(await status(changed(good, i)), `${i}`).toBeGreaterThanOrEqual(400)
    }
    const good = await link('/files/a.txt')
    expect(await status(changed(good, good.length - 9))).toBe(403)
    expect(await status(good.replace('a.txt', 'b/c.txt'))).toBe(403)
    expect(await status(good.slice(0, -1))).toBe(400)
    expect(await status(`${good}&expires=1900000000`)).toBe(400)
    expect(await status(`${good}%0A`)).toBe(400)
  })

  test('an expired link is 410, and one that has not started is 403', async () => {
    for (const url of ['/files/a.txt', '/files/a.txt?q=1']) {
      const answer = await at.visit(await past(url))
      expect([answer.status, answer.headers['cache-control'], await reason()]).toEqual([410, 'no-store', 'expired'])
    }
    const starts = new Date(Date.now() + 300_000)
    expect(await status(await link('/files/a.txt', { starts }))).toBe(403)
  })

  test('addresses', async () => {
    for (const ip of ['127.0.0.1', '127.0.0.0/31']) {
      const bound = await link('/files/a.txt', { ip })
      expect([await status(bound), await status(bound, elsewhere), await reason()]).toEqual([200, 403, 'wrong_ip'])
    }
    const wide = await link('/files/a.txt', { ip: '127.0.0.0/8' })
    expect([await status(wide), await status(wide, elsewhere)]).toEqual([200, 200])
  })

  test('methods', async () => {
    const answer = await at.visit(await link('/files/a.txt'), { method: 'POST' })
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'HEAD, GET'])
    const put = await at.visit(await link('/files/a.txt', { method: ['PUT', 'DELETE'] }))
    expect([put.status, put.headers['allow'], await reason()]).toEqual([405, 'DELETE, PUT', 'wrong_method'])
    // verify admits it, and NGINX refuses the method for a file.
    expect(await status(await link('/files/a.txt', { method: 'POST' }), { method: 'POST' })).toBe(405)
  })

  test('prefixes', async () => {
    const folder = (await link('/files/b/', { prefix: '/files/b/' })).replace(/^[^?]*/, '')
    expect(await status(`/files/b/c.txt${folder}`)).toBe(200)
    for (const path of ['/files/a.txt', '/files/b/..%2Fa.txt', '/files/b%2F../a.txt', '/files/b/x%2F..', '/files/b/%2F..;/a.txt'])
      expect(await status(path + folder), path).toBe(403)
    for (const path of ['/files/b/../a.txt', '/files/b/%2e%2e/a.txt']) expect(await status(path + folder), path).toBe(400)
  })

  // NGINX would serve another file than the signed one.
  test('paths that NGINX resolves in another way', async () => {
    const token = (await link('/files/b/c.txt')).replace(/^[^?]*/, '')
    for (const path of [
      '/files/./b/c.txt',
      '/files/x/../b/c.txt',
      '/files/b/%2e/c%2Etxt',
      '/files/b//../b/c.txt',
      '/files/b/%2F/%2E%2E/c.txt',
    ])
      expect([await status(path + token), await reason()], path).toEqual([400, 'malformed'])
    expect(await status(`/files/b/c%2Etxt${token}`)).toBe(200)
    // These dots are part of a name when the link is signed, and become dot segments when NGINX decodes the path.
    for (const path of ['/files/b%2F../a.txt', '/files/b/x%2f%2e%2e%2F..%2Fa.txt'])
      expect([await status(await link(path)), await reason()], path).toEqual([403, 'wrong_path'])
    const everything = (await link('/files/b/c.txt', { prefix: '/files/b/' })).replace(/^[^?]*/, '')
    for (const path of ['/files/b/y/z%2F..%2F..%2F..%2Fa.txt', '/files/b/x//..%2f..%2fa.txt'])
      expect([await status(path + everything), await reason()], path).toEqual([403, 'wrong_path'])
    expect(await status(`/files/b/x//../../a.txt${everything}`)).toBe(400)
  })

  test('bytes beyond ASCII, also those that are not UTF-8', async () => {
    const good = await link('/files/ü.txt?q=🎬')
    expect(good).toMatch(/^[!-~]*$/)
    expect(await status(good)).toBe(404)
    expect(await status(good.replace('%C3%BC', '%FC'))).toBe(403)
    // Clients never send such bytes unescaped.
    const [before, after] = good.split('%C3%BC') as [string, string]
    for (const bytes of [Buffer.from('ü'), Buffer.from([0xfc])])
      expect([await status(Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]) as never), await reason()]).toEqual([
        400,
        'malformed',
      ])
  })

  test('a link that another program printed again', async () => {
    const good = await link('/files/Q%26A%2B.txt?e=u@x&q=a b&t=(1:2)&flag')
    for (const [from, to] of [
      ['Q%26A%2B', 'Q&A+'],
      ['u@x', 'u%40x'],
      ['a%20b', 'a+b'],
      ['(1:2)', '%281%3A2%29'],
      ['flag', 'flag='],
      ['e=u@x&q=a%20b', 'q=a%20b&e=u@x'],
    ] as const)
      expect(await status(good.replace(from, to)), to).toBe(404)
    expect(await status(good.replace('a%20b', 'a%2Bb'))).toBe(403)
    expect(await status(good.replace(/signature=(.)/, (_, first) => `signature=%${first.charCodeAt(0).toString(16)}`))).toBe(400)
  })

  test('keys: a keyring, an unknown id, no id', async () => {
    const old = keys.slice(1)
    expect(await status(await link('/files/a.txt', {}, {}, old))).toBe(200)
    expect(await status(await link('/files/a.txt', {}, {}, { secret: SECRETS.old }))).toBe(200)
    expect(await status(await link('/files/a.txt', {}, {}, { id: 'other', secret: SECRETS.old }))).toBe(403)
    expect(await reason()).toBe('unknown_key')
    expect(await status(await link('/files/a.txt', {}, {}, { id: '2026-11', secret: SECRETS.old }))).toBe(403)
  })

  test('a link with a number of uses is refused, because the app redeems it', async () => {
    const limited = await link('/files/a.txt', { uses: 3 })
    expect([await status(limited), await reason()]).toEqual([403, 'needs_redeem'])
  })

  test('purpose and ignore', async () => {
    const mail = await link('/mail/a.txt', {}, { purpose: 'mail', ignore: ['utm_*', 'fbclid'] })
    expect(await status(mail)).toBe(200)
    expect(await status(`${mail}&utm_source=x&fbclid=1`)).toBe(200)
    expect(await status(`${mail}&utm=x`)).toBe(403)
    expect(await status(await link('/mail/a.txt'))).toBe(403)
    expect(await status(await link('/files/a.txt', {}, { purpose: 'mail' }))).toBe(403)
  })

  test('origin, parameters and tolerance', async () => {
    const options: HmacOptions = { origin: true, parameters: { expires: 'until', signature: 'sig' } }
    const path = async (origin: string, conditions = {}) =>
      (await link(`${origin}/app/a.txt?expires=mine`, conditions, options)).slice(origin.length)
    expect(await status(await path('https://app.example'))).toBe(200)
    expect(await status(await path('https://APP.example:443'))).toBe(200)
    expect(await status(await path('https://www.example'))).toBe(403)
    expect(await status(await path('https://app.example', { starts: new Date(Date.now() + 20_000) }))).toBe(200)
    expect(await status(await path('https://app.example', { starts: new Date(Date.now() + 60_000) }))).toBe(403)
  })

  test('the token in the path', async () => {
    const video = await link('/videos/1/a.ts', { prefix: '/videos/1/' }, { placement: 'path' })
    expect(await at.visit(video)).toMatchObject({ status: 200, body: 'this is videos/1/a.ts' })
    expect(await at.visit(video.replace('a.ts', 'b.ts'))).toMatchObject({
      status: 200,
      body: 'this is videos/1/b.ts',
    })
    for (const wrong of ['/videos/1/a.ts', changed(video, video.indexOf('signature=') + 12), video.replace('/1/a.ts', '/2/a.ts')])
      expect(await status(wrong), wrong.replace(/signature.*?\//, '')).toBe(403)
    for (const path of ['/../files/a.txt', '/secret.txt', '/files/a.txt', '/videos/1/..%2F2/a.ts', '/videos/1//../../2/a.ts'])
      expect(await status(video.replace('/videos/1/a.ts', path)), path).toBeGreaterThanOrEqual(400)
    expect(await status(await past('/videos/1/a.ts', { placement: 'path' }))).toBe(410)
  })

  test('a refusal of NGINX itself stays 403', async () => {
    expect(await status(await link('/files/b/'))).toBe(403)
  })

  test('no part of a link is in the access log', async () => {
    expect(await reason()).toBeDefined()
    const lines = readFileSync(join(at.folder, 'log/links.log'), 'utf8').split('\n')
    expect(lines.filter((line) => /signature=|sig=|expires=|2026-11/.test(line))).toEqual([])
  })

  test('10,000 requests with keep-alive leave nothing in the error log', async () => {
    const before = at.log()
    const links = await Promise.all([link('/files/a.txt'), link('/files/b/c.txt?q=1', { ip: '127.0.0.1' }), past('/files/a.txt')])
    const answers: Record<string, number> = {}
    await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        for (let i = worker; i < 10_000; i += 8) {
          const { status } = await at.visit(links[i % 10 ? i % 2 : 2] as string)
          answers[status] = (answers[status] ?? 0) + 1
        }
      }),
    )
    expect(answers).toEqual({ 200: 9000, 410: 1000 })
    expect(at.log()).toBe(before)
  }, 60_000)
})

suite('keys from the environment, and wrong keys', () => {
  const bare = page.replace(/^ *js_preload_object.*\n/m, '')
  const open = async () => (await running?.visit(await link('/files/a.txt')))?.status
  const complaints = () => [...`${running?.log()}`.matchAll(/js: (securelink: .*?)(?:, client|$)/gm)].map(([, text]) => text)

  test('from the environment', async () => {
    await serve(`${fromEnvironment}${bare}`, { env: { SECURELINK_KEYS: JSON.stringify(keys) } })
    expect(await open()).toBe(200)
    await serve(`${fromEnvironment}${bare}`, { env: { SECURELINK_KEYS: JSON.stringify(keys[0]) } })
    expect(await open()).toBe(200)
    expect(running?.log()).toBe('')
  }, 60_000)

  test.each([
    ['without keys', {}, /keys must be given/],
    ['keys that are not JSON', { SECURELINK_KEYS: 'secret' }, /./],
    ['a short secret', { SECURELINK_KEYS: '[{ "secret": "short" }]' }, /at least 32 bytes/],
    ['a key without a secret', { SECURELINK_KEYS: '[{}]' }, /secret must be given/],
    ['an empty list', { SECURELINK_KEYS: '[]' }, /at least one key/],
  ])(
    '%s: the answer is 500, and the log says why',
    async (_name, env, complaint) => {
      await serve(`${fromEnvironment}${bare}`, { env })
      expect(await open()).toBe(500)
      expect(complaints()).toEqual([expect.stringMatching(complaint)])
      expect(running?.log()).not.toContain('"secret"')
    },
    60_000,
  )

  test('to rotate keys, edit the list and reload NGINX', async () => {
    const { folder, visit } = await serve(page)
    const [fresh, aged] = await Promise.all([link('/files/a.txt'), link('/files/a.txt', {}, {}, keys.slice(1))])
    expect([(await visit(fresh)).status, (await visit(aged)).status]).toEqual([200, 200])
    writeFileSync(join(folder, 'etc/securelink-keys.json'), JSON.stringify(keys.slice(0, 1)))
    process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 'SIGHUP')
    await expect.poll(async () => (await visit(aged)).status, { timeout: 20_000 }).toBe(403)
    expect((await visit(fresh)).status).toBe(200)
  }, 60_000)

  test('keys with dates', async () => {
    const dated = [
      { ...keys[0], starts: '2090-01-01T00:00:00Z' },
      { ...keys[1], expires: '2020-01-01T00:00:00Z' },
    ]
    await serve(page, { files: { 'etc/securelink-keys.json': JSON.stringify(dated) } })
    expect((await running?.visit(await link('/files/a.txt')))?.status).toBe(403)
    expect((await running?.visit(await link('/files/a.txt', {}, {}, keys[1])))?.status).toBe(410)
    await running?.visit('/marker')
    expect(readFileSync(join(`${running?.folder}`, 'log/links.log'), 'utf8')).toMatch(/too_early\n.*key_expired\n/)
  }, 60_000)

  test('a wrong setting', async () => {
    await serve(
      page.replace('js_content securelink.check;', 'set $securelink_parameters "expires=a signature=a"; js_content securelink.check;'),
    )
    expect(await open()).toBe(500)
    expect(complaints()).toEqual([expect.stringContaining('distinct names of letters')])
  }, 60_000)
})

test('the stock module: the configuration of the page starts', async () => {
  if (!find('nginx')) return
  const [stock = ''] = fencesOf('The stock module').whole
  const server = await serve(stock)
  expect((await server.visit('/files/a.txt')).status).toBe(403)
  expect((await server.visit('/files/a.txt?md5=AAAAAAAAAAAAAAAAAAAAAA&expires=1900000000')).status).toBe(403)
}, 60_000)
