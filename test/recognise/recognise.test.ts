// recognise, on 687 URLs that vendors, their SDKs and real servers wrote, on the vectors of our schemes, and on random text.
import fc from 'fast-check'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { hmac, inspect, LinkError, sign } from '../../src/index.ts'
import { recognise } from '../../src/recognise.ts'
import { schemes } from '../conformance/vectors/index.ts'
import corpus from './recognise.json' with { type: 'json' }

/** `expires` is in seconds, and null if the link does not show it. Without a scheme, the URL is not a link, or cannot be told apart; `why` says why. */
interface Case {
  readonly url: string
  readonly scheme: string | null
  readonly expires?: number | null
  /** The expiry is written in milliseconds. */
  readonly milliseconds?: boolean
  readonly why?: string
  /** The file of the collection that has it, and its description there: published by the vendor, or made by the vendor's own code. */
  readonly source: string
}

const cases = corpus as readonly Case[]
const one = (url: string) => [recognise(url)].flat()
/** Scheme and expiry of each reading; null if the link does not show its expiry. */
const read = (url: string) =>
  one(url).map((seen) => seen && [seen.scheme, seen.unverified.expires ? +seen.unverified.expires / 1000 : null])

describe('URLs of vendors', () => {
  const links = cases.filter(({ scheme }) => scheme)

  test.each([...new Set(links.map(({ scheme }) => scheme))])('%s', (name) => {
    for (const { url, scheme, expires, milliseconds } of links.filter(({ scheme }) => scheme === name)) {
      expect(read(url), url).toEqual([[scheme, expires]])
      expect(one(url)[0]?.milliseconds, url).toBe(milliseconds)
    }
  })

  test('other URLs are not recognised', () => {
    for (const { url, scheme } of cases) if (!scheme) expect(recognise(url), url).toBeUndefined()
  })

  const urls = cases.filter(({ url }) => /^(https?:\/)?\//.test(url))
  test('nine in ten of the URLs are recognised', () => expect(links.length / urls.length).toBeGreaterThan(0.9))

  afterAll(() => {
    const why = cases.filter(({ scheme }) => !scheme).map((left) => left.why ?? '')
    console.log(`recognised: ${links.length} of ${urls.length} URLs (${cases.length} texts); not recognised:`)
    for (const reason of new Set(why)) console.log(`  ${String(why.filter((other) => other === reason).length).padStart(3)}  ${reason}`)
  })
})

// Links whose expiry only the verifier knows: with a stored policy, without an expiry, from Google with S3's protocol, or with a number of digits
// that only NGINX takes.
const NEEDS_MORE =
  /[?&](si=|e=0|e=(&|$)|expires=0|expires=\d{12}|eXpires|ts=\d{12}|X-Amz-Algorithm=.*GOOG1)|^[^?]*\/[\da-f]{32}\/|\?ts=\d+$/

// Schemes that are not named as `recognise` names their links: it does not tell Google's kinds of keys apart.
const VENDORS: Readonly<Record<string, string>> = {
  'cloud-cdn': 'google-cloud-cdn',
  'gcs-rsa': 'gcs',
  'tencent-cos': 'cos',
  'oss-v4': 'oss',
  s3v2: 's3',
}

// Schemes without a rule: `recognise` would exceed its size.
const WITHOUT_RULE: readonly string[] = ['signed']

describe('links of our schemes', () => {
  const known = schemes.filter(({ vectors }) => !WITHOUT_RULE.includes(vectors.scheme))
  test.each(known.map(({ make, vectors }) => [vectors.scheme, make, vectors] as const))('%s', (name, make, { testGroups }) => {
    let count = 0
    for (const { options, tests } of testGroups) {
      // Nothing in such a link shows the names that its signer chose.
      if (
        'parameters' in options ||
        'tokenName' in options ||
        'ignore' in options ||
        ('service' in options && !/^s3/.test(`${options.service}`))
      )
        continue
      const reader = make([], options)
      // One scheme reads the links of several vendors, if they have one form.
      const vendor = 'vendor' in options ? options.vendor : (VENDORS[name] ?? name)
      for (const { link } of tests) {
        const seen = inspect(reader, link)
        // A token in the path whose marks were escaped on the way to a server: clients have it as it was signed.
        if (!seen || NEEDS_MORE.test(link) || /\/expires(?:%3d|=[^/]*%2c)/i.test(link)) continue
        count++
        // Supabase's have tokens of the scheme jwt.
        const found = one(link).find((other) => other?.scheme === vendor || (name === 'jwt' && other?.scheme === 'supabase'))
        // A link that never expires has no expiry to read, and some vendors' links show the time of their issue only.
        const isIssued = ['cloudflare', 'alibaba-cdn', 'tencent-cdn'].includes(name)
        const expires = seen.unverified.endless || isIssued ? undefined : seen.unverified.expires
        // NGINX and its module read more forms than signers write. Those may go unrecognised, but never get another expiry.
        if (name.startsWith('nginx') && (!found || !expires || expires.getUTCFullYear() > 5000)) continue
        // The scheme azure reads the link's own expiry. A delegation key can expire first.
        const key = Date.parse(/[?&]ske=([^&]*)/.exec(link)?.[1]?.replaceAll('%3A', ':') ?? '')
        expect(found?.unverified.expires, link).toEqual(expires && key < +expires ? new Date(key) : expires)
        const { resource, ...claims } = seen.unverified
        const same = Object.fromEntries(Object.keys(claims).map((key) => [key, found?.unverified[key as 'id']]))
        if (name === 'hmac' || name === 'pichax')
          expect({ ...same, resource: found?.unverified.resource }, link).toEqual({ ...claims, resource })
      }
    }
    expect(count).toBeGreaterThan(0)
  })
})

describe('claims', () => {
  const claims = (url: string) => one(url).map((seen) => seen?.unverified)
  const expires = new Date(1_767_229_200_000)

  test('of Azure', () => {
    const url =
      'https://a.blob.core.windows.net/c/b?x=1&sv=2022-11-02&st=2026-01-01&se=2026-01-01T01%3A00%3A00Z&sr=b&sp=racwd&sip=1.2.3.4&sig=AA%3D'
    const starts = new Date(1_767_225_600_000)
    const resource = 'https://a.blob.core.windows.net/c/b?x=1'
    expect(claims(url)).toEqual([{ resource, expires, starts, methods: ['DELETE', 'GET', 'PUT'], ip: '1.2.3.4' }])
  })

  test('of CloudFront, from its policy', () => {
    const Condition = {
      DateLessThan: { 'AWS:EpochTime': 1_767_229_200 },
      DateGreaterThan: { 'AWS:EpochTime': 1_767_225_600 },
      IpAddress: { 'AWS:SourceIp': '192.0.2.0/24' },
    }
    const policy = btoa(JSON.stringify({ Statement: [{ Resource: 'https://d.test/videos/*', Condition }] }))
    const written = policy.replaceAll('+', '-').replaceAll('=', '_').replaceAll('/', '~')
    expect(claims(`https://d.test/videos/a.m3u8?Policy=${written}&Signature=AA&Key-Pair-Id=K`)).toEqual([
      {
        resource: 'https://d.test/videos/a.m3u8',
        expires,
        starts: new Date(1_767_225_600_000),
        ip: '192.0.2.0/24',
        prefix: '/videos/',
        keyId: 'K',
      },
    ])
  })

  test('of Google, with a prefix', () => {
    const url = `https://c.test/a/x?y=1&URLPrefix=${btoa('https://c.test/a/')}&Expires=1767229200&KeyName=k&Signature=${'A'.repeat(27)}=`
    expect(claims(url)).toEqual([{ resource: 'https://c.test/a/x?y=1', expires, prefix: '/a/', keyId: 'k' }])
  })

  test('of a token with `~`, in the query and in the path', () => {
    const token = `hdnts=ip=1.2.3.4~st=1767225600~exp=1767229200~acl=/a/*~id=7~hmac=${'0'.repeat(64)}`
    const said = { expires, starts: new Date(1_767_225_600_000), ip: '1.2.3.4', prefix: '/a/', id: '7' }
    expect(claims(`https://h.test/a/~b?x=~1&${token}&y=2#z`)).toEqual([{ resource: 'https://h.test/a/~b?x=~1&y=2', ...said }])
    expect(claims(`https://h.test/a/b?${token}&y=2`)).toEqual([{ resource: 'https://h.test/a/b?y=2', ...said }])
    expect(claims(`https://h.test/${token}/a/b?y=2`)).toEqual([{ resource: 'https://h.test/a/b?y=2', ...said }])
  })

  test('of hmac in the path', async () => {
    const scheme = hmac({ id: 'k', secret: '0123456789abcdef0123456789abcdef' }, { placement: 'path' })
    const link = await sign(
      scheme,
      'https://h.test/a/b?id=5',
      { expires, prefix: '/a/', uses: 2, id: 'ä/1', ip: '192.0.2.0/24' },
      { now: () => new Date(0) },
    )
    expect(claims(link)).toEqual([
      { resource: 'https://h.test/a/b?id=5', expires, ip: '/24', prefix: '/a/', uses: 2, id: 'ä/1', keyId: 'k' },
    ])
  })

  test('of Bunny in the path', () => {
    const link = `https://z.b-cdn.net/bcdn_token=HS256-${'A'.repeat(43)}&token_path=%2Fabc%2F&expires=1767229200/abc/v.m3u8?q=1`
    expect(claims(link)).toEqual([{ resource: 'https://z.b-cdn.net/abc/v.m3u8?q=1', expires, prefix: '/abc/' }])
  })
})

test('a URL object is read like its text', () => {
  expect(recognise(new URL(`https://h.test/x?expires=1767229200&s=${'0'.repeat(32)}`))).toMatchObject({ scheme: 'imgix' })
})

test('a link that two vendors write alike gives both', () => {
  const token = `token=exp=1767229200~acl=/06933f0d-5f31-425d-a5b8-6c5c2cdaaae6/~hmac=${'0'.repeat(64)}`
  expect(read(`https://files.example/06933f0d-5f31-425d-a5b8-6c5c2cdaaae6/?${token}`)).toEqual([
    ['akamai', 1_767_229_200],
    ['uploadcare', 1_767_229_200],
  ])
  expect(read(`https://x.ucarecdn.com/06933f0d-5f31-425d-a5b8-6c5c2cdaaae6/?${token}`)).toEqual([['uploadcare', 1_767_229_200]])
})

test.each(['exp:1900000000/rs:fit:300/plain/a.jpg', 'rs%3Afit%3A300/expires%3A1900000000/plain/a.jpg'])(
  "imgproxy's expiry stands first, and with escaped colons: %s",
  (options) => {
    const [seen] = one(`https://img.test/${'A'.repeat(43)}/${options}`)
    expect(seen).toMatchObject({ scheme: 'imgproxy', unverified: { expires: new Date(1_900_000_000_000) } })
  },
)

describe('a link that does not show its expiry has no `expires`', () => {
  test.each([
    ['cloudflare', `https://h.test/x?verify=1767225600-${'A'.repeat(43)}%3D`],
    ['azure', 'https://a.blob.core.windows.net/c/b?sv=2022-11-02&si=policy&sr=b&sig=AA'],
    ['laravel', `https://h.test/x?signature=${'0'.repeat(64)}`],
    ['bytescale', 'https://upcdn.io/a/image/b.jpg?sig=1.abc.def&exp=inf'],
    // A number that no Date can hold.
    ['jwt', `https://h.test/x?jwt=eyJhbGciOiJIUzI1NiJ9.${btoa('{"exp":1e300  }')}.AA`],
  ])('%s', (scheme, url) => {
    const [seen] = one(url)
    expect(seen?.scheme).toBe(scheme)
    expect(seen?.unverified).not.toHaveProperty('expires')
  })
})

describe('a text with an expiry that cannot be read is not recognised', () => {
  const imgproxy = (option: string) => `https://img.test/${'A'.repeat(43)}/rs:fit:300/${option}/plain/a.jpg`
  const rails = (exp: unknown) =>
    `https://h.test/x?sid=${btoa(JSON.stringify({ _rails: { data: 1, exp, pur: 'blob_id' } }))}--${'0'.repeat(40)}`
  const adonis = (expiryDate: unknown) => {
    const fields = btoa(JSON.stringify({ message: '/x', expiryDate })).replaceAll('=', '')
    return `https://h.test/x?signature=${fields}.${'A'.repeat(43)}`
  }
  const azure = 'https://a.blob.core.windows.net/c/b?sv=2022-11-02&sr=b&sp=r&sig=AA%3D'
  const cos = `https://h.test/?q-ak=k&q-signature=${'0'.repeat(40)}&q-sign-time=1557989753;1557996953`
  const policy = btoa('{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":"soon"}}}]}')

  test.each([
    ['imgproxy', imgproxy('exp:1767229200'), imgproxy('exp:soon')],
    ['imgproxy', imgproxy('exp:0'), imgproxy('exp:')],
    ['imgproxy', imgproxy('exp:1767229200'), imgproxy('exp:1767229200/expires:1e9')],
    ['rails', rails('2026-01-01T01:00:00.000Z'), rails('soon')],
    ['rails', rails(null), rails(1_767_229_200)],
    ['adonis', adonis('2026-01-01T01:00:00.000Z'), adonis('soon')],
    ['adonis', adonis(undefined), adonis(1_767_229_200)],
    ['azure', `${azure}&se=2026-01-01T01:00:00Z`, `${azure}&se=soon`],
    ['azure', `${azure}&se=2026-01-01T01:00:00Z&ske=2026-01-01`, `${azure}&se=2026-01-01T01:00:00Z&ske=soon`],
    ['azure', `${azure}&si=policy`, azure],
    ['cos', `${cos}&q-key-time=1557989753;1557996953`, `${cos}&q-key-time=1557989753;soon`],
    [
      'cloudfront',
      'https://d.test/x?Expires=1767229200&Signature=AA&Key-Pair-Id=K',
      'https://d.test/x?Expires=soon&Signature=AA&Key-Pair-Id=K',
    ],
    [
      'cloudfront',
      'https://d.test/x?Expires=0&Signature=AA&Key-Pair-Id=K',
      `https://d.test/x?Expires=1767229200&Policy=${policy}&Signature=AA&Key-Pair-Id=K`,
    ],
    ['cloudfront', 'https://d.test/x?Expires=0&Signature=AA&Key-Pair-Id=K', 'https://d.test/x?Signature=AA&Key-Pair-Id=K'],
  ])('%s: %#', (scheme, readable, unreadable) => {
    expect(one(readable)[0]?.scheme).toBe(scheme)
    expect(recognise(unreadable)).toBeUndefined()
  })
})

describe("the expiry of imgproxy's links", () => {
  const link = (options: string) => `https://h.test/images/${'A'.repeat(43)}/${options}/plain/https://h.test/exp:1/a.jpg`
  test.each<[string, number | null, true | undefined]>([
    ['rs:fit:300', null, undefined],
    ['exp:0', null, undefined],
    ['exp:1767229200000', 1_767_229_200, true],
    // The earliest of several counts.
    ['exp:1767229300/exp:1767229200', 1_767_229_200, undefined],
    // Chained pipelines, https://docs.imgproxy.net/usage/processing: a `-` separates them.
    ['rs:fit:300/-/exp:1767229200', 1_767_229_200, undefined],
  ])('%s', (options, expires, milliseconds) => {
    expect(read(link(options))).toEqual([['imgproxy', expires]])
    expect(one(link(options))[0]?.milliseconds).toBe(milliseconds)
  })

  test('a segment of 43 characters and a `-` are not a link of imgproxy', () => {
    expect(recognise(`https://gitlab.test/group/${'A'.repeat(43)}/-/blob/main/exp:1/a`)).toBeUndefined()
  })
})

test('CloudFront has one reading, and its resource has neither policy nor expiry', () => {
  const written = btoa('{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":1767229200}}}]}')
  const link = `https://d.test/x?a=1&Expires=1767229300&Policy=${written.replaceAll('=', '_')}&Signature=AA&Key-Pair-Id=K`
  expect(read(link)).toEqual([['cloudfront', 1_767_229_200]])
  expect(one(link)[0]?.unverified.resource).toBe('https://d.test/x?a=1')
})

test('a token of Akamai in a URL that is the value of a parameter is not a token of the whole', () => {
  const inner = `https://h.test/a?hdnts=st=1767225600~exp=1767229200~acl=/*~hmac=${'0'.repeat(64)}`
  expect(read(inner)).toEqual([['akamai', 1_767_229_200]])
  expect(recognise(`https://proxy.test/?url=${encodeURIComponent(inner)}`)).toBeUndefined()
})

test('a signature of version 4 with a time that does not exist is not recognised', () => {
  const url = `https://b.test/k?X-Amz-Credential=A%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Expires=60&X-Amz-Signature=${'0'.repeat(64)}`
  expect(one(`${url}&X-Amz-Date=20260101T000000Z`)[0]?.scheme).toBe('s3')
  expect(recognise(`${url}&X-Amz-Date=99999999T999999Z`)).toBeUndefined()
})

describe('arguments that are not links', () => {
  const message = 'link must be a string or a URL; await promises, and pass request.url'
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['a Request', new Request('https://h.test/x')],
    ['a Promise', Promise.resolve('https://h.test/x')],
    ...[null, 5, {}, [], true, Symbol('x'), () => 1].map((odd): [string, unknown] => [typeof odd, odd]),
  ])('%s', (_name, odd) => {
    let thrown: unknown
    try {
      recognise(odd as string)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(LinkError)
    expect(thrown).toMatchObject({ code: 'bad_option', option: 'link', message })
  })

  test('it can be passed to map(), whose other arguments do not matter', () => {
    expect(['https://h.test/x', `https://h.test/x?s=${'0'.repeat(32)}`].map(recognise)).toMatchObject([undefined, { scheme: 'imgix' }])
  })
})

test.each([
  'https://h.test/x',
  'https://h.test/x?expires=1767229200',
  'https://h.test/x?token=abc&sig=1&signature=2&s=3&md5=4',
  'https://h.test/x?expires=1767229200000&signature=AAAA',
  `https://h.test/x?expires=176722920000&signature=${'0'.repeat(64)}`,
  `https://h.test/x?st=${'A'.repeat(43)}&ts=1767225600&e=`,
  'https://h.test/x?ex=65a7fc19&is=65958719',
  'https://h.test/x?oe=6576D61D',
  'https://h.test/x?jwt=abc',
  `https://h.test/x?auth_key=1444435200-${'0'.repeat(32)}`,
  `https://h.test/x?sid=BAhpBg==--${'0'.repeat(40)}`,
  `https://h.test/${'A'.repeat(43)}/x/rs:fit/plain/a.jpg`,
  'https://h.test/x?q-sign-time=1;2&q-signature=AA&q-ak=k',
  'https://us%65r:password@h.test/x',
  'https://h.test/x?Expires=1767229200&Signature=AAAA',
  // As Looker signs, https://cloud.google.com/looker/docs/single-sign-on-embedding: in the form of Google Maps.
  `https://bi.test/login/embed/a?nonce=%22a%22&time=1767229200&session_length=3600&signature=${'A'.repeat(27)}%3D&force_logout_login=true`,
  `https://h.test/x?expires=1767229200&signature=${'A'.repeat(27)}%3D`,
  'https://h.test/oauth?token=eyJhbGciOiJIUzI1NiJ9',
  'https://h.test/x~hmac=',
  `https://h.test/a/b~exp=1767229200~hmac=${'0'.repeat(64)}`,
  'https://h.test/x?token=exp=soon~hmac=00000000000000000000000000000000',
  `https://iot.test/mqtt?X-Amz-Credential=A%2F20260101%2Fus-east-1%2Fiotdevicegateway%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-Signature=${'0'.repeat(64)}`,
  `https://user:password@h.test/x?expires=1767229200&signature=${'0'.repeat(64)}`,
])('not recognised: %s', (url) => expect(recognise(url)).toBeUndefined())

test('a host that only looks like a vendor is not the vendor', () => {
  const jwt = `eyJhbGciOiJIUzI1NiJ9.${btoa(JSON.stringify({ exp: 1_767_229_200 }))}.AA`
  expect(read(`https://private-user-images.githubusercontent.com/a?jwt=${jwt}`)).toEqual([['github', 1_767_229_200]])
  expect(read(`https://evilgithubusercontent.com/a?jwt=${jwt}`)).toEqual([['jwt', 1_767_229_200]])
  const token = `token=exp=1767229200~acl=/a/~hmac=${'0'.repeat(64)}`
  expect(read(`https://x.ucarecdn.com/a/?${token}`)).toEqual([['uploadcare', 1_767_229_200]])
  expect(read(`https://notucarecdn.com/a/?${token}`)).toEqual([['akamai', 1_767_229_200]])
})

test('of several starts the latest one counts', () => {
  const azure =
    'https://a.blob.core.windows.net/c/b?sv=2022-11-02&st=2026-01-01&skt=2026-01-02&se=2026-01-03&ske=2026-01-04&sr=b&sp=r&sig=AA'
  expect(one(azure)[0]?.unverified.starts).toEqual(new Date('2026-01-02'))
  const cos = `https://h.test/?q-ak=k&q-sign-time=1557989753;1557996953&q-key-time=1557990000;1557996953&q-signature=${'0'.repeat(40)}`
  expect(+(one(cos)[0]?.unverified.starts ?? 0)).toBe(1_557_990_000_000)
})

test('an escaped token of Akamai leaves the resource as it is', () => {
  const token = `exp%3D1767229200%7Eacl%3D%2Fa%2F%2A%7Eid%3D7%7Ehmac%3D${'0'.repeat(64)}`
  const [seen] = one(`https://h.test/a%7Eb?x=%3D%7e&hdnts=${token}&y=%7E`)
  expect(seen?.unverified).toMatchObject({ resource: 'https://h.test/a%7Eb?x=%3D%7e&y=%7E', prefix: '/a/', id: '7' })
})

test('a token of Akamai without a name, as in the path of Vimeo', () => {
  const file = '/vimeo-prod/01/5137/19/490687716/2186453862.mp4'
  const token = `exp=1767229200~acl=${encodeURIComponent(file)}~hmac=${'0'.repeat(64)}`
  const [seen] = one(`https://vod.akamaized.test/${token}${file}`)
  expect(seen).toEqual({
    scheme: 'akamai',
    unverified: { resource: `https://vod.akamaized.test${file}`, expires: new Date('2026-01-01T01:00:00Z') },
  })
  expect(read(`https://vod.akamaized.test/a?${token}&b=1`)).toEqual([['akamai', 1_767_229_200]])
})

describe('work, counted', () => {
  /** How often escapes were decoded, and how often that threw. */
  function counted(link: string): { read: number; thrown: number } {
    const count = { read: 0, thrown: 0 }
    const real = decodeURIComponent
    vi.stubGlobal('decodeURIComponent', (text: string) => {
      count.read++
      try {
        return real(text)
      } catch (error) {
        count.thrown++
        throw error
      }
    })
    try {
      recognise(link)
    } finally {
      vi.unstubAllGlobals()
    }
    return count
  }

  test.each(['&%', '&%a', '&%ff', '&%ff=%ff', '&a=%', '&%41', '&%41=%', '&a', '%', '&expires=%', '&md5=%&%ts=', '~%', '/%'])(
    '16 kB of %s: few escapes are decoded, and none throws',
    (piece) => {
      for (const start of ['https://h.test/x?', `https://h.test/x?signature=${'0'.repeat(64)}`, '/expires=1,', 'https://h.test/']) {
        const link = start + piece.repeat((16_000 - start.length) / piece.length)
        const { read, thrown } = counted(link)
        expect(thrown, link.slice(0, 60)).toBe(0)
        // Escaped letters can be a vendor's name, so those are decoded.
        if (!piece.includes('%41')) expect(read, link.slice(0, 60)).toBeLessThan(100)
      }
    },
  )

  test('a text above 16,384 characters is not searched', () => {
    const long = `https://h.test/x?md5=${'A'.repeat(22)}&a=`.padEnd(16_385, 'a')
    const exec = vi.spyOn(RegExp.prototype, 'exec')
    const test = vi.spyOn(RegExp.prototype, 'test')
    const before = exec.mock.calls.length + test.mock.calls.length
    const seen = recognise(long)
    const after = exec.mock.calls.length + test.mock.calls.length
    vi.restoreAllMocks()
    expect(seen).toBeUndefined()
    expect(after - before).toBe(0)
    expect(one(long.slice(0, -1))[0]?.scheme).toBe('nginx')
  })
})

describe('random text', () => {
  // Set SEED to run other cases.
  const seed = Number(process.env['SEED'] ?? 20261122)
  const names = [
    ...new Set(cases.flatMap(({ url }) => [...url.matchAll(/[?&]([\w-]+)=/g)].map(([, name]) => name as string))),
    ...['hdnts', 'hdnea', '__token__', 'bcdn_token', 'URLPrefix', 'Policy', 'net'],
  ]
  const policies = [
    null,
    5,
    'x',
    [],
    { Statement: 5 },
    { Statement: [null] },
    { Statement: [{ Resource: { toString: 1 }, Condition: { DateLessThan: { 'AWS:EpochTime': {} } } }] },
    { exp: { valueOf: 1 } },
    { exp: [], nbf: 'x' },
  ].map((value) => btoa(JSON.stringify(value)))
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 90 }),
    fc.stringMatching(/^[\w+/=%~.!*-]{0,90}$/),
    fc.stringMatching(/^[\da-f]{64}$/),
    fc.stringMatching(/^[\w-]{43}$/),
    fc.stringMatching(/^\d{1,13}$/),
    fc.constantFrom(
      ...policies,
      ...policies.map((text) => `eyJ9.${text}.x`),
      '%',
      '%zz',
      '%ff',
      '',
      '20260101T000000Z',
      '99999999T999999Z',
      'exp=1~hmac=',
    ),
  )
  const pair = fc.tuple(fc.constantFrom(...names), value).map(([name, value]) => `${name}=${value}`)
  const separator = fc.constantFrom('&', '~', ',', '/', '?', '#')
  const url = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc
      .tuple(fc.constantFrom('https://h.test/x?', '/', '/x?', '//', '?'), fc.array(fc.tuple(pair, separator), { maxLength: 12 }))
      .map(([start, pairs]) => start + pairs.flat().join('')),
    // A real link with an insertion or a deletion.
    fc
      .tuple(fc.constantFrom(...cases.map(({ url }) => url)), fc.nat(), fc.nat(8), value)
      .map(([url, at, count, value]) => url.slice(0, at % url.length) + value + url.slice((at % url.length) + count)),
  )

  test('none of 100,000 texts throws, and every claim has its type', () => {
    fc.assert(
      fc.property(url, (text) => {
        for (const seen of one(text)) {
          if (!seen) continue
          const { resource, expires, starts, methods, uses, ...rest } = seen.unverified
          const kinds =
            typeof resource === 'string' &&
            (expires === undefined || (expires instanceof Date && !Number.isNaN(+expires))) &&
            (starts === undefined || +starts === +starts.valueOf()) &&
            (methods === undefined || methods.every((name) => typeof name === 'string')) &&
            (uses === undefined || uses > 0) &&
            Object.values(rest).every((value) => typeof value === 'string' && value)
          if (!kinds) throw new Error(`a claim of another type: ${JSON.stringify(seen)}`)
        }
      }),
      { numRuns: 100_000, seed },
    )
  }, 120_000)

  test('long texts take a time that does not grow with their square', () => {
    for (const piece of ['&md5', '?a=b=', '~a=', '/exp:', '%', '&token=exp=1~', '/a=b='])
      expect(() => recognise(`https://h.test/x?${piece.repeat(16_000 / piece.length)}~hmac=${'0'.repeat(64)}`)).not.toThrow()
  })
})
