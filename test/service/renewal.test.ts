// renewal: which links are renewed, and which must not be. In process, on Express, and in a worker.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { build } from 'esbuild'
import express from 'express'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { allOf } from '../../src/all-of.ts'
import { cacheKey, freshLinks } from '../../src/client.ts'
import { anyOf, hmac, LinkError, redeem, type Scheme, sign, verify } from '../../src/index.ts'
import { listener } from '../../src/node.ts'
import { akamai } from '../../src/schemes/akamai.ts'
import { azure } from '../../src/schemes/azure.ts'
import { bunny } from '../../src/schemes/bunny.ts'
import { jwt } from '../../src/schemes/jwt.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { pichax } from '../../src/schemes/pichax.ts'
import { s3 } from '../../src/schemes/s3.ts'
import { type RenewalOptions, renewal } from '../../src/service.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { root } from '../built.ts'
import { find, freePort, leftOut } from '../prepare.mjs'

const secret = '0123456789abcdef0123456789abcdef'
const other = 'fedcba9876543210fedcba9876543210'
const NOW = 1_900_000_000_000
const MINUTE = 60_000
const url = 'https://cdn.test/files/report.pdf?page=2'
const links = hmac({ id: 'a', secret })
const at = (time: number) => ({ now: () => new Date(time) })
// biome-ignore lint/suspicious/noExplicitAny: any scheme and its conditions
type Anything = any

/** A link that was signed so many minutes ago for ten minutes. */
const make = (minutes: number, conditions: object = {}, scheme: Scheme = links, target = url) =>
  sign(scheme as Anything, target, { expires: '10m', ...conditions }, at(NOW - minutes * MINUTE))

type Options = Partial<RenewalOptions<Anything, Anything>>

/** A handler with a fixed clock. */
const handlerFor = (scheme: Scheme, options: Options = {}) =>
  renewal(scheme as Anything, { conditions: { expires: '10m' }, authorize: () => true, now: () => new Date(NOW), ...options })

const post = (body: unknown, headers: Record<string, string> = {}, method = 'POST') =>
  new Request('https://app.test/renew', {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(method !== 'GET' && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })

/** The answers for a list of links. */
async function renewAll(list: string[], scheme: Scheme = links, options: Options = {}, headers = {}): Promise<Anything[]> {
  const response = await handlerFor(scheme, options)(post({ links: list }, headers))
  expect(response.status).toBe(200)
  return (await response.json()).links
}
const renewOne = async (...[link, ...rest]: [string, Scheme?, Options?, object?]): Promise<Anything> => (await renewAll([link], ...rest))[0]
const reasonFor = async (...args: Parameters<typeof renewOne>) => (await renewOne(...args)).reason

describe('a link is renewed', () => {
  test('while it is valid, and within the grace period', async () => {
    const olds = await Promise.all([0, 9, 10, 11, 69].map((minutes) => make(minutes)))
    const answers = await renewAll(olds)
    for (const { ok, link, expires } of answers) {
      expect([ok, expires]).toEqual([true, new Date(NOW + 10 * MINUTE).toISOString()])
      expect(await verify(links, link, at(NOW))).toMatchObject({ ok: true, claims: { resource: url } })
      expect(cacheKey(link)).toBe(cacheKey(olds[0] as string))
    }
    expect(await reasonFor(await make(70))).toBe('expired')
    expect(await reasonFor(await make(11), links, { grace: '0s' })).toBe('expired')
    expect((await renewOne(await make(60 * 24), links, { grace: '1d' })).ok).toBe(true)
  })

  test('with the methods, address, prefix and id that it had, and without its start', async () => {
    const conditions = { method: 'PUT', ip: '203.0.113.0/24', prefix: '/files/', id: 'user-7', starts: new Date(NOW - 12 * MINUTE) }
    const { link } = await renewOne(await make(11, conditions), links, { ip: () => '203.0.113.9' })
    const visit = { ip: '203.0.113.200', method: 'PUT', ...at(NOW) }
    expect((await verify(links, link, visit)).claims).toEqual({
      resource: url,
      expires: new Date(NOW + 10 * MINUTE),
      methods: ['PUT'],
      ip: '203.0.113.200/24',
      prefix: '/files/',
      id: 'user-7',
      keyId: 'a',
    })
    for (const change of [{ ip: '203.0.114.1' }, { ip: undefined }, { method: 'GET' }])
      expect((await verify(links, link, { ...visit, ...change })).ok).toBe(false)
  })

  test('with the conditions that authorize returns', async () => {
    const authorize = () => ({ expires: '1h', id: 'other' })
    const { link, expires } = await renewOne(await make(1, { id: 'user-7' }), links, { authorize })
    expect(expires).toBe(new Date(NOW + 60 * MINUTE).toISOString())
    expect((await verify(links, link, at(NOW))).claims?.id).toBe('other')
  })

  test('by the first key in time, also if an older one on the keyring signed it', async () => {
    const ring = hmac([
      { id: 'b', secret: other },
      { id: 'a', secret },
    ])
    const { link } = await renewOne(await make(11), ring)
    expect((await verify(ring, link, at(NOW))).claims?.keyId).toBe('b')
  })

  const RENEWABLE: [string, Scheme, object?, string?][] = [
    ['hmac with its token in the path', hmac({ secret }, { placement: 'path' }), { prefix: '/files/' }],
    ['hmac with an origin', hmac({ secret }, { origin: true })],
    ['pichax', pichax({ id: 'px', secret }), { id: '7' }],
    ['s3', s3({ id: 'AKIAIOSFODNN7EXAMPLE', secret }, { region: 'eu-central-1' }), {}, 'https://b.s3.eu-central-1.amazonaws.com/a.txt'],
    [
      's3 for uploads',
      s3({ id: 'AKIAIOSFODNN7EXAMPLE', secret }, { region: 'eu-central-1' }),
      { method: 'PUT' },
      'https://b.s3.eu-central-1.amazonaws.com/a.txt',
    ],
    ['bunny with countries', bunny({ secret }), { countriesAllowed: ['DE', 'FR'], prefix: '/files/' }],
    ['akamai with data', akamai({ secret: secret + secret }), { id: '7', data: 'x', ip: '203.0.113.9' }, 'https://cdn.test/files/a.ts'],
    ['jwt with data', jwt({ secret }), { data: { scope: 'download', user: { name: 'x' } } }, 'https://cdn.test/files/a.txt'],
    [
      'jwt with data that is named as conditions',
      jwt({ secret }),
      { data: { prefix: '/', starts: '1s', data: { id: 7 } } },
      'https://cdn.test/a.txt',
    ],
    ['nginx', nginx({ secret }), { ip: '203.0.113.9' }, 'https://cdn.test/files/a.txt'],
  ]
  test.each(RENEWABLE)('of %s', async (_name, scheme, conditions = {}, target = url) => {
    const ip = '203.0.113.9'
    const method = (conditions as { method?: string }).method ?? 'GET'
    const old = await make(11, conditions, scheme, target)
    const { link, ...answer } = await renewOne(old, scheme, { ip: () => ip })
    expect(answer).toMatchObject({ ok: true })
    const [before, after] = await Promise.all([
      verify(scheme, old, { ip, method, ...at(NOW - 11 * MINUTE) }),
      verify(scheme, link, { ip, method, ...at(NOW) }),
    ])
    const lasting = ({ expires: _e, starts: _s, data, ...claims }: Anything) => ({
      ...claims,
      data: typeof data === 'object' ? { ...data, iat: 0, exp: 0 } : data,
    })
    expect(after.ok).toBe(true)
    expect(lasting(after.claims)).toEqual(lasting(before.claims))
    expect(new URL(link).origin).toBe(new URL(target).origin)
  })

  test('with anyOf, by the scheme that signed it', async () => {
    const images = pichax({ id: 'px', secret })
    const both = anyOf(links, images)
    const { link } = await renewOne(await make(11, { id: '7' }, images), both)
    expect(await verify(both, link, at(NOW))).toMatchObject({ ok: true, scheme: 'pichax' })
    // A pichax link opens every path, so an hmac link for its URL would grant a URL that nobody signed.
    expect(await verify(links, link, at(NOW))).toMatchObject({ ok: false })
  })
})

describe('a link is not renewed', () => {
  test('with a bad signature, with none, and for a text that is not a link', async () => {
    const authorize = vi.fn(() => true)
    const good = await make(1)
    const bad = [
      good.replace('report', 'salary'),
      good.replace(/expires=\d+/, 'expires=1990000000'),
      good.replace(/signature=.{4}/, 'signature=AAAA'),
      url,
      'no link',
      '',
      `${good}#x`,
      `https://cdn.test/${'a'.repeat(20_000)}`,
      good.replace('/files/', '/files/../files/'),
    ]
    const reasons = (await renewAll(bad, links, { authorize })).map(({ ok, reason, status, ...more }) => {
      expect([ok, status >= 400, more]).toEqual([false, true, {}])
      return reason
    })
    expect(reasons).toEqual([
      'bad_signature',
      'bad_signature',
      'bad_signature',
      'unsigned',
      'unsigned',
      'unsigned',
      'malformed',
      'malformed',
      'malformed',
    ])
    expect(authorize).not.toHaveBeenCalled()
  })

  test('that is revoked, valid or expired', async () => {
    const revoked = vi.fn(async ({ id }: { id?: string }) => id === 'gone')
    const [valid, expired, kept] = await Promise.all([make(1, { id: 'gone' }), make(11, { id: 'gone' }), make(11, { id: 'kept' })])
    const answers = await renewAll([valid, expired, kept], links, { revoked } as Options)
    expect(answers.map(({ reason, status, ok }) => reason ?? status ?? ok)).toEqual(['revoked', 'revoked', true])
    expect(answers[0].status).toBe(410)
    expect(revoked).toHaveBeenCalledTimes(3)
  })

  test("of another person: authorize sees the proved id, and not what the link's text says", async () => {
    const authorize = (claims: { id?: string }, request: Request) => claims.id === request.headers.get('x-user')
    const [mine, theirs] = await Promise.all([make(11, { id: 'user-7' }), make(11, { id: 'user-8' })])
    const answers = await renewAll([mine, theirs, theirs.replace('user-8', 'user-7')], links, { authorize } as Options, {
      'x-user': 'user-7',
    })
    expect(answers.map(({ reason }) => reason)).toEqual([undefined, 'not_allowed', 'bad_signature'])
  })

  test('of another address, or if the address is not known', async () => {
    const old = await make(11, { ip: '203.0.113.7' })
    expect(await reasonFor(old)).toBe('wrong_ip')
    expect(await reasonFor(old, links, { ip: () => '203.0.113.8' })).toBe('wrong_ip')
    expect((await renewOne(old, links, { ip: () => '203.0.113.7' })).ok).toBe(true)
    // The application returns the address, from the arguments of the runtime.
    const handler = handlerFor(links, { ip: (_request: Request, info: { address: string }) => info.address })
    const answer = await (handler as Anything)(post({ link: old }), { address: '203.0.113.7' })
    expect(answer.status).toBe(200)
  })

  test('with a number of uses, consumed or not, valid or expired; none is consumed', async () => {
    const store = memoryStore()
    for (const minutes of [1, 11]) {
      const old = await make(minutes, { uses: 2 })
      expect(await reasonFor(old)).toBe('needs_redeem')
      const visit = { store, ...at(NOW - minutes * MINUTE) }
      for (const ok of [true, true, false]) expect((await redeem(links, old, visit)).ok).toBe(ok)
      expect(await reasonFor(old)).toBe('needs_redeem')
    }
  })

  test('if its key is not on the keyring any more, or has expired', async () => {
    const old = await make(11)
    expect(await reasonFor(old, hmac({ id: 'b', secret: other }))).toBe('unknown_key')
    expect(await reasonFor(await make(1, {}, hmac({ secret })), hmac({ secret: other }))).toBe('bad_signature')
    // The key ended a minute ago. It was valid as long as the link was.
    const ended = hmac([
      { id: 'b', secret: other },
      { id: 'a', secret, expires: new Date(NOW - MINUTE) },
    ])
    expect(await reasonFor(old, ended)).toBe('unknown_key')
    expect(await reasonFor(await make(2), ended)).toBe('unknown_key')
    const onlyEnded = hmac({ id: 'a', secret, expires: new Date(NOW - MINUTE) })
    expect(await reasonFor(old, onlyEnded)).toBe('unknown_key')
    // Keys that are looked up.
    const lookup = hmac((id) => (id === 'a' ? undefined : { id: 'b', secret: other }))
    expect(await reasonFor(old, lookup)).toBe('unknown_key')
  })

  test('before its start, and for another purpose', async () => {
    expect(await reasonFor(await make(1, { starts: new Date(NOW + MINUTE) }))).toBe('too_early')
    expect(await reasonFor(await make(1, {}, hmac({ id: 'a', secret }, { purpose: 'reset' })))).toBe('bad_signature')
  })

  test('if it is not of the expected origin', async () => {
    const targets = [
      url,
      'HTTPS://CDN.test:443/files/a',
      'https://evil.test/files/a',
      'http://cdn.test/files/a',
      'https://cdn.test:8443/files/a',
      'https://cdn.test.evil.test/a',
      '/files/a',
    ]
    const olds = await Promise.all(targets.map((target) => make(1, {}, links, target)))
    // The signature does not cover the host.
    olds.push((olds[0] as string).replace('cdn.test', 'evil.test'))
    const reasons = async (origin: string | string[]) => (await renewAll(olds, links, { origin })).map(({ reason }) => reason ?? 'ok')
    const no = 'wrong_origin'
    expect(await reasons('https://CDN.test')).toEqual(['ok', 'ok', no, no, no, no, no, no])
    expect(await reasons(['https://cdn.test', 'http://cdn.test'])).toEqual(['ok', 'ok', no, 'ok', no, no, no, no])
  })

  test.each([
    ['a Response', new Response('No', { status: 403 })],
    ['an Error', new Error('No')],
    ['a Map', new Map()],
    ['a Date', new Date()],
  ])('if authorize returns %s, which has no conditions', async (_, decision) => {
    const answer = await renewOne(await make(1), links, { authorize: () => decision as object })
    expect(answer).toMatchObject({ ok: false, reason: 'not_allowed' })
  })

  test.each([false, undefined, null, 0, '', 'yes', 1, [true]])('if authorize returns %j', async (decision) => {
    expect(await renewOne(await make(1), links, { authorize: () => decision as boolean })).toEqual({
      ok: false,
      reason: 'not_allowed',
      status: 403,
    })
  })

  test('if the new link would not have the limits of the old one', async () => {
    // A link for writing is not replaced by one for reading: the page would fail for no visible reason.
    const files = azure({ id: 'account', secret: btoa(secret) })
    const file = 'https://account.blob.core.windows.net/c/a.txt'
    const writing = await make(1, { permissions: 'rw' }, files as Scheme, file)
    expect(await reasonFor(writing, files as Scheme)).toBe('not_renewable')
    const { link } = await renewOne(writing, files as Scheme, { authorize: () => ({ permissions: 'rw' }) })
    expect(new URL(link).searchParams.get('sp')).toBe('rw')
    // A condition that the claims do not show, but a parameter.
    const limited = bunny({ secret })
    const old = await make(1, { ignoreParams: true }, limited as Scheme, 'https://cdn.test/files/a')
    expect(await reasonFor(old, limited as Scheme)).toBe('not_renewable')
  })

  test('if it covers headers, which the request for a new link does not have', async () => {
    const storage = s3({ id: 'AKIAIOSFODNN7EXAMPLE', secret }, { region: 'eu-central-1' })
    const conditions = { method: 'PUT', headers: { 'content-type': 'image/png' } }
    const old = await make(1, conditions, storage, 'https://b.s3.eu-central-1.amazonaws.com/a.png')
    expect(await reasonFor(old, storage)).toBe('bad_signature')
  })
})

describe('a batch', () => {
  test('is answered in order, and one refusal leaves the others alone', async () => {
    const olds = await Promise.all(Array.from({ length: 150 }, (_, i) => make(11, { id: `${i}` }, links, `https://cdn.test/${i}.jpg`)))
    olds[70] = (olds[70] as string).replace('70.jpg', '71.jpg')
    const authorize = vi.fn(({ id }: { id?: string }) => id !== '80')
    const answers = await renewAll(olds, links, { authorize })
    for (const [i, answer] of answers.entries()) {
      if (i === 70) expect(answer.reason).toBe('bad_signature')
      else if (i === 80) expect(answer.reason).toBe('not_allowed')
      else expect(answer.link).toMatch(new RegExp(`^https://cdn.test/${i}.jpg\\?`))
    }
    expect(authorize).toHaveBeenCalledTimes(149)
  })

  test('an error of authorize, revoked or the conditions concerns its own link, and is reported', async () => {
    const report = vi.fn()
    const failing = (id?: string) => {
      if (id === '1') throw new Error('the database is down')
    }
    const authorize = ({ id }: { id?: string }) => {
      failing(id)
      return id === '2' ? { misspelt: 1 } : true
    }
    const olds = await Promise.all(['0', '1', '2', '3'].map((id) => make(1, { id })))
    const answers = await renewAll(olds, links, { authorize, report } as Options)
    expect(answers.map(({ reason }) => reason)).toEqual([undefined, 'unavailable', 'unavailable', undefined])
    expect(report.mock.calls.map(([error]) => error.message).sort()).toEqual([
      'the database is down',
      expect.stringMatching(/^unknown option 'misspelt'/),
    ])
  })

  test('the default report names no link', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const link = await make(1)
    const authorize = () => {
      throw new Error(`cannot look up ${link}`)
    }
    expect((await renewOne(link, links, { authorize })).status).toBe(503)
    expect(error.mock.calls).toEqual([['A link could not be renewed: Error']])
    error.mockRestore()
  })

  test.each([
    ['201 links', { links: Array(201).fill('/x') }, 422, 'links'],
    ['no links', { links: [] }, 422, 'links'],
    ['an object of links', { links: { 0: '/x', length: 1 } }, 422, 'links'],
    ['a link that is not text', { links: ['/x', 5] }, 422, 'links[1]'],
    ['link and links', { link: '/x', links: ['/x'] }, 422, ''],
    ['neither', { url: '/x' }, 422, ''],
    ['a link that is a list', { link: ['/x'] }, 422, 'link'],
    ['a list', ['/x'], 400, undefined],
    ['text', '/x', 400, undefined],
    ['nothing', '', 400, undefined],
    ['more bytes than the limit', { link: 'x'.repeat(1_000_001) }, 413, undefined],
  ])('%s is refused, and nothing is verified', async (_name, body, status, field) => {
    const authorize = vi.fn()
    const response = await handlerFor(links, { authorize })(post(body))
    const text = await response.text()
    expect([response.status, response.headers.get('content-type')]).toEqual([status, 'application/problem+json'])
    expect(JSON.parse(text).errors?.[0]?.field).toBe(field)
    expect(text.length).toBeLessThan(300)
    expect(authorize).not.toHaveBeenCalled()
  })

  test('most and limit can be set', async () => {
    const link = await make(1)
    const status = async (options: Options, body: unknown) => (await handlerFor(links, options)(post(body))).status
    expect(await status({ most: 1 }, { links: [link] })).toBe(200)
    expect(await status({ most: 1 }, { links: [link, link] })).toBe(422)
    expect(await status({ limit: 20 }, { link })).toBe(413)
  })

  test('the work for a batch is bounded: at most five signatures are computed to verify a link', async () => {
    const storage = s3({ id: 'AKIAIOSFODNN7EXAMPLE', secret }, { region: 'eu-central-1' })
    const old = await make(1, {}, storage, 'https://b.s3.eu-central-1.amazonaws.com/a.png')
    const subtle = vi.spyOn(crypto.subtle, 'verify')
    await renewAll(Array(200).fill(old.replace('a.png', 'b.png')), storage)
    expect(subtle.mock.calls.length).toBeLessThanOrEqual(200 * 5)
    subtle.mockRestore()
  })
})

describe('requests', () => {
  test.each(['GET', 'PUT', 'DELETE', 'OPTIONS'])('%s is answered with 405', async (method) => {
    const response = await handlerFor(links)(post({ link: '/x' }, {}, method))
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
  })
  test.each([{ 'content-type': 'text/plain' }, { 'content-type': 'application/json', 'content-encoding': 'gzip' }])(
    'a body with %j is answered with 415',
    async (headers) => {
      expect((await handlerFor(links)(post({ link: await make(1) }, headers as Record<string, string>))).status).toBe(415)
    },
  )
  test('a single link gets its own response; its refusal is a problem document with the reason', async () => {
    const good = await handlerFor(links)(post({ link: await make(11) }))
    expect([good.status, good.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(await good.json()).toEqual({ ok: true, link: expect.stringContaining('https://cdn.test/'), expires: expect.any(String) })
    const old = await make(80)
    const bad = await handlerFor(links)(post({ link: old }))
    expect([bad.status, bad.headers.get('cache-control')]).toEqual([410, 'no-store'])
    const text = await bad.text()
    expect(JSON.parse(text)).toMatchObject({ status: 410, reason: 'expired', detail: 'The link expired too long ago to be renewed.' })
    expect(text).not.toContain('signature')
  })
})

describe('options', () => {
  test.each([
    [{ authorize: undefined }, 'authorize'],
    [{ conditions: undefined }, 'conditions'],
    [{ conditions: {} }, 'conditions'],
    [{ grace: 5 }, 'grace'],
    [{ origin: 'cdn.test' }, 'origin'],
    [{ origin: 'https://cdn.test/' }, 'origin'],
    [{ origin: '*' }, 'origin'],
    [{ origin: [] }, 'origin'],
    [{ origin: ['https://cdn.test', ''] }, 'origin'],
    [{ ip: '203.0.113.7' }, 'ip'],
    [{ most: 0 }, 'most'],
    [{ limit: 1.5 }, 'limit'],
    [{ report: 'log' }, 'report'],
    [{ revoked: true }, 'revoked'],
    [{ now: new Date() }, 'now'],
    [{ tolerance: 5 }, 'tolerance'],
    [{ graze: '1h' }, 'graze'],
    [{ store: memoryStore() }, 'store'],
  ])('%j is an error', (wrong, option) => {
    const options = { conditions: { expires: '10m' }, authorize: () => true, ...wrong }
    let error: unknown
    try {
      renewal(links, options as Anything)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(LinkError)
    expect(error).toMatchObject({ code: 'bad_option', option })
  })
  test('no scheme, and no options', () => {
    expect(() => renewal(undefined as Anything, {} as Anything)).toThrow(/^scheme must be/)
    expect(() => renewal(links, undefined as Anything)).toThrow(/^authorize must be/)
  })
  test('allOf, which cannot sign', () => {
    const both = allOf(akamai({ secret: 'aa' }, { tokenName: 'a' }), akamai({ secret: 'bb' }, { tokenName: 'b' }))
    expect(() => renewal(both, { conditions: { expires: 'never' }, authorize: () => true } as Anything)).toThrow(
      /^scheme must be one that signs/,
    )
  })
})

// The client's half, as docs/guide/renewal.md has it.
const renewAt = (address: string) => async (list: string[], signal: AbortSignal) => {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ links: list }), signal }
  const response = await fetch(address, init)
  if (!response.ok) throw new Error(`the server answers ${response.status}`)
  const { links } = (await response.json()) as { links: { link?: string; reason?: string }[] }
  return links.map(({ link, reason }) => link ?? new Error(reason))
}

/** A hundred links of pages, of which one is of another user, are renewed by one request. */
async function renewsForPages(address: string, requests: () => number | undefined): Promise<void> {
  const old = (id: string, i: number) =>
    sign(links, `https://cdn.test/${i}.jpg`, { expires: '1s', id }, { now: () => new Date(Date.now() - MINUTE) })
  const olds = await Promise.all(Array.from({ length: 100 }, (_, i) => old(i === 50 ? 'user-8' : 'user-7', i)))
  const fresh = freshLinks({ renew: renewAt(address) })
  const answers = await Promise.all(olds.map((link) => fresh.get(link).catch((error) => error)))
  for (const [i, answer] of answers.entries()) {
    if (i === 50) expect(answer).toMatchObject({ code: 'renewal_failed', cause: { message: 'not_allowed' } })
    else expect((await verify(links, answer)).ok).toBe(true)
  }
  if (requests() !== undefined) expect(requests()).toBe(1)
}

test('on Express, through listener', async () => {
  let requests = 0
  const app = express()
  app.post('/renew', (_req: unknown, _res: unknown, next: () => void) => {
    requests++
    next()
  })
  app.post('/renew', listener(renewal(links, { conditions: { expires: '10m' }, authorize: ({ id }) => id === 'user-7' })))
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  await renewsForPages(`http://127.0.0.1:${(server.address() as AddressInfo).port}/renew`, () => requests)
  server.close()
  server.closeAllConnections()
})

test('after express.json(), which has read the body, the response is a 400 at once', async () => {
  const app = express()
  app.use(express.json())
  app.post('/renew', listener(handlerFor(links)))
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ link: await make(1) }) }
  const response = await fetch(`http://127.0.0.1:${port}/renew`, { ...init, signal: AbortSignal.timeout(5000) })
  expect(response.status).toBe(400)
  server.close()
  server.closeAllConnections()
})

const temporary = mkdtempSync(join(tmpdir(), 'securelink-renewal-'))
afterAll(() => rmSync(temporary, { recursive: true, force: true }))

const workerd = find('workerd')
test.skipIf(!workerd)(`in a worker${workerd ? '' : `; ${leftOut('workerd')}`}`, async () => {
  const contents = `
    import { hmac } from '${root}src/index.ts'
    import { renewal } from '${root}src/service.ts'
    const links = hmac({ id: 'a', secret: '${secret}' })
    const renew = renewal(links, { conditions: { expires: '10m' }, authorize: ({ id }) => id === 'user-7' })
    export default { fetch: (request) => (new URL(request.url).pathname === '/renew' ? renew(request) : new Response('ready')) }`
  await build({
    stdin: { contents, resolveDir: root },
    outfile: join(temporary, 'worker.mjs'),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
  })
  const port = await freePort()
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker.mjs", esModule = embed "worker.mjs")],
    compatibilityDate = "2026-10-01",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`
  writeFileSync(join(temporary, 'worker.capnp'), config)
  const child = spawn(workerd as string, ['serve', join(temporary, 'worker.capnp')], { stdio: 'ignore' })
  try {
    for (let tries = 0; tries < 200; tries++) {
      if (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)) break
      await wait(50)
    }
    await renewsForPages(`http://127.0.0.1:${port}/renew`, () => undefined)
  } finally {
    child.kill('SIGKILL')
  }
})
