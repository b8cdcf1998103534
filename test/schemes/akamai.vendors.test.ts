// akamai against akamai-edgeauth and cloudinary: 300 random URLs and options each, the same token byte for byte.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { akamai } from '../../src/schemes/akamai.ts'

const require = createRequire(import.meta.url)
const EdgeAuth = require('akamai-edgeauth') as new (
  options: object,
) => { generateURLToken(url: string): string; generateACLToken(acl: string | string[]): string }
const cloudinary = require('cloudinary') as {
  v2: { url(id: string, options: object): string; utils: { generate_auth_token(options: object): string } }
}

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261122)
const numRuns = 300

const hex = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const NOW = 1_767_225_600
const now = () => new Date(NOW * 1000)
const date = (seconds: number) => new Date(seconds * 1000)
const times = fc.record({
  st: fc.option(fc.integer({ min: NOW - 1000, max: NOW }), { nil: undefined }),
  exp: fc.integer({ min: NOW + 1, max: NOW + 1e6 }),
})
const ip = fc.option(fc.oneof(fc.ipV4(), fc.constantFrom('2001:db8::1', '::1', '::ffff:192.0.2.1')), { nil: undefined })
// Characters that a URL can have: the package leaves the others to clients.
const segment = fc.stringMatching(/^(?:[\w\-.!$'()*+,;=:@~]|%[2-7E][\dA-F]){1,12}$/)
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join('/')}`)
const dots = /\/(\.|%2E){1,2}([/;?]|$)/i
// No pattern opens a path that leaves its folder: some servers decode `..%2F` and `..%5C` before they resolve dots. So `verify` refuses these paths.
const climbs = /(\/|%2F|%5C)(\.|%2E){1,2}(\/|%2F|%5C|[;?]|$)/i
const query = fc.option(fc.stringMatching(/^(?:\w{1,5}=[\w.%]{0,5}&?){1,3}$/), { nil: undefined })
const pattern = path.map((text) => `${text.replace(/[~!]/g, '-')}/*`)
const value = fc.option(fc.stringMatching(/^[\w\-.!*()/=:@,$?]{1,20}$/), { nil: undefined })

test('akamai-edgeauth', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        key: hex,
        times,
        ip,
        path: path.filter((text) => !dots.test(text)),
        query,
        id: value,
        data: value,
        acl: fc.option(
          fc.array(
            pattern.filter((text) => !climbs.test(text)),
            { minLength: 1, maxLength: 3 },
          ),
          { nil: undefined },
        ),
        algorithm: fc.constantFrom('sha256' as const, 'sha1' as const),
        escapeEarly: fc.boolean(),
        salt: fc.option(fc.string({ minLength: 1, maxLength: 9 }), { nil: undefined }),
      }),
      async ({ key, times: { st, exp }, ip, path, query, id, data, acl, algorithm, escapeEarly, salt }) => {
        const url = path + (query ? `?${query}` : '')
        const theirs = new EdgeAuth({ key, algorithm, salt, escapeEarly, startTime: st, endTime: exp, ip, sessionId: id, payload: data })
        const token = acl ? theirs.generateACLToken(acl) : theirs.generateURLToken(url)
        const scheme = akamai({ secret: key }, { algorithm, escapeEarly, ...(salt && { salt }) })
        const conditions = {
          expires: date(exp),
          ...(st && { starts: date(st) }),
          ...(ip && { ip }),
          ...(id && { id }),
          ...(data && { data }),
          ...(acl && { acl }),
        }
        const link = await sign(scheme, `https://edge.example${url}`, conditions, { now })
        expect(link).toBe(`https://edge.example${url}${query ? '&' : '?'}__token__=${token}`)

        const visited = acl ? link.replace(url, () => `${acl[0]?.replace(/[*?]/g, 'x')}${query ? `?${query}` : ''}`) : link
        expect(await verify(scheme, visited, { now, ip })).toMatchObject({
          ok: true,
          claims: { expires: date(exp), ...(id && { id }), ...(data && { data }), ...(ip && { ip }) },
        })
        expect((await verify(scheme, visited, { now: () => date(exp), ip })).reason).toBe('expired')
      },
    ),
    { seed, numRuns },
  )
})

test('generate_auth_token of cloudinary', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        key: hex,
        times,
        ip,
        path: path.filter((text) => !dots.test(text)),
        acl: fc.option(fc.array(pattern, { minLength: 1, maxLength: 3 }), { nil: undefined }),
      }),
      async ({ key, times: { st, exp }, ip, path, acl }) => {
        const token = cloudinary.v2.utils.generate_auth_token({
          key,
          start_time: st,
          expiration: exp,
          ip,
          ...(acl ? { acl: [...acl] } : { url: path }),
        })
        const scheme = akamai({ secret: key }, { vendor: 'cloudinary' })
        const conditions = { expires: date(exp), ...(st && { starts: date(st) }), ...(ip && { ip }), ...(acl && { acl }) }
        const link = await sign(scheme, `https://res.cloudinary.com${path}`, conditions, { now })
        expect(link).toBe(`https://res.cloudinary.com${path}?${token}`)
        const verdict = await verify(scheme, acl ? link.replace(path, () => acl[0]?.replace(/[*?]/g, 'x') as string) : link, { now, ip })
        if (!acl || !climbs.test(acl[0] as string)) expect(verdict.ok).toBe(true)
      },
    ),
    { seed, numRuns },
  )
})

test('signed URLs of cloudinary, with the analytics that it appends', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ key: hex, times, id: fc.stringMatching(/^[\w \-ü漢]{1,20}(\/[\w ü]{1,9})?$/) }),
      async ({ key, times: { st, exp }, id }) => {
        const link = cloudinary.v2.url(`x${id}`, {
          cloud_name: 'test123',
          private_cdn: true,
          secure: true,
          sign_url: true,
          type: 'authenticated',
          auth_token: { key, start_time: st, expiration: exp },
        })
        expect((await verify(akamai({ secret: key }, { vendor: 'cloudinary' }), link, { now })).ok).toBe(true)
      },
    ),
    { seed, numRuns },
  )
})
