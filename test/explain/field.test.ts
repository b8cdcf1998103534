// Changes of links between the signer and the verifier that people reported in public: explain names each of them.
import { createHash, createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { unicodeHost } from '../../src/explain/idn.ts'
import { type ExplainOptions, explain } from '../../src/explain.ts'
import { hmac, type Scheme, sign } from '../../src/index.ts'
import { imagekit } from '../../src/schemes/imagekit.ts'
import { laravel } from '../../src/schemes/laravel.ts'
import { nginx } from '../../src/schemes/nginx.ts'
import { symfony } from '../../src/schemes/symfony.ts'
import { thumbor } from '../../src/schemes/thumbor.ts'

const now = () => new Date('2030-01-01T00:00:00Z')

const APP_KEY = 'base64:hL6yrMlQmZLd8VRkHGYTZ5b3tEnVNsTkqBzm0XCKWbY='

const SCHEMES = {
  hmac: hmac({ secret: 'a secret of 32 bytes or more, from a vault' }),
  laravel: laravel({ secret: APP_KEY }),
  symfony: symfony({ secret: 'abcdef0123456789abcdef0123456789' }),
  // The expiry is the last parameter, and not the signature.
  nginx: nginx({ secret: 'secret' }, { expression: '$secure_link_expires$uri $secret' }),
}
type Name = keyof typeof SCHEMES

async function codes(links: Scheme, link: string, options: ExplainOptions = {}): Promise<readonly string[]> {
  const { verdict, mistakes } = await explain(links, link, { now, ...options })
  expect(verdict.ok).toBe(false)
  return mistakes.map(({ code }) => code)
}

/** A link of each scheme to the same URL. */
const linkOf = (name: Name, url = 'https://app.example/verify/a%20b?to=u%40x.example&list=news') =>
  sign(SCHEMES[name] as Scheme<never, object, 'optional'>, url, { expires: '1h' }, { now })

const change = (from: string | RegExp, to: string) => (link: string) =>
  link.replaceAll(from instanceof RegExp ? from : new RegExp(from, 'g'), to)
const append = (text: string) => (link: string) => link + text
const inside = (text: string) => (link: string) => `${link.slice(0, -5)}${text}${link.slice(-5)}`

describe('on the way', () => {
  const CHANGES: readonly (readonly [code: string, what: string, change: (link: string) => string, but?: readonly Name[]])[] = [
    // https://github.com/DemocracyClub/UK-Polling-Stations/pull/6926: a full stop. Editors write “…” and an invisible space.
    ['punctuation', 'a curly quote', append('%E2%80%9D')],
    ['punctuation', 'an ellipsis, not escaped', append('…')],
    ['punctuation', 'a space without width', append('%E2%80%8B')],
    ['punctuation', 'a full stop of Chinese', append('%E3%80%82')],
    ['punctuation', 'a backtick', append('`')],
    ['punctuation', 'a slash', append('/')],
    ['punctuation', 'the rest of Markdown', append('](')],
    // The two others read a signature, and what follows it.
    ['punctuation', 'the rest of a link of Slack', append('|click here'), ['hmac', 'laravel']],
    ['punctuation', 'the rest of HTML', append('%22%3Eclick%20here%3C/a%3E'), ['hmac', 'laravel']],
    // WordPress writes "&" as "&#038;", and Handlebars "=" as "&#x3D;".
    ['html_escaped', '&#038;', change('&', '&#038;')],
    ['html_escaped', '&#x3D;', change('=', '&#x3D;')],
    ['json_escaped', 'an "&" of Go, and a "/" of PHP', (link) => link.replaceAll('&', '\\u0026').replaceAll('/', '\\/')],
    ['json_escaped', 'the same, sent by a browser', change('&', '%5Cu0026')],
    ['separators_escaped', 'an encoded "&"', change('&', '%26')],
    ['separators_escaped', 'an encoded "?"', change('\\?', '%3F')],
    [
      'separators_escaped',
      'encodeURIComponent of path and query',
      (link) => link.replace(/(?<=example\/).*/, (target) => encodeURIComponent(target)),
    ],
    // https://github.com/imagekit-developer/imagekit-php/issues/48
    ['first_question_mark', '"&" in place of "?"', change('\\?', '&')],
    // https://github.com/spatie/laravel-ray/issues/343: a viewer of mails drops the "=". Others decode "=18" of "expires=1893…".
    ['wrapped', 'a viewer that drops "="', change(/(expires|signature|_expiration|_hash|md5)=/g, '$1')],
    [
      'wrapped',
      'text that was decoded as quoted-printable',
      (link) => link.replace(/=([\dA-F]{2})/gi, (_, hex) => `%${hex.toUpperCase()}`),
    ],
    ['wrapped', 'a soft hyphen', inside('%C2%AD'), ['symfony']],
    ['wrapped', 'a space without width', inside('%E2%80%8B'), ['symfony']],
    ['wrapped', 'a line that was joined with a space', inside('%20'), ['symfony']],
    [
      'rewritten',
      'Proofpoint, version 2',
      (link) => {
        const encoded = encodeURIComponent(link).replaceAll('-', '%2D').replaceAll('_', '%5F')
        return `https://urldefense.proofpoint.com/v2/url?u=${encoded.replaceAll('%2F', '_').replaceAll('%', '-')}&d=DwM&e=`
      },
    ],
    ['rewritten', 'Proofpoint, version 3', (link) => `https://urldefense.com/v3/__${link}__;!!abc!def$`],
    ['rewritten', 'Cisco', (link) => `https://secure-web.cisco.com/1abc/${encodeURIComponent(link)}`],
    ['rewritten', 'Sophos', (link) => `https://eu1.protection.sophos.com/?d=app.example&u=${btoa(link).replace(/=+$/, '')}&p=bQ==`],
  ]
  const cases = CHANGES.flatMap(([code, what, changed, but = []]) =>
    (Object.keys(SCHEMES) as Name[]).filter((name) => !but.includes(name)).map((name) => ({ code, what, changed, name })),
  )
  test.each(cases)('$code: $what, with $name', async ({ code, changed, name }) => {
    expect(await codes(SCHEMES[name], changed(await linkOf(name)))).toEqual([code])
  })

  test('text after a signature at the end is named as such', async () => {
    expect(await codes(SCHEMES.hmac, `${await linkOf('hmac')}|click here`)).toEqual(['signature_longer'])
  })

  // https://github.com/imagekit-developer/imagekit-php/issues/48: …/image.jpg&ik-s=… is answered with 401.
  test('ImageKit: "&ik-s=" without a query', async () => {
    const images = imagekit({ secret: 'private_key' }, { urlEndpoint: 'https://ik.imagekit.io/endpoint/' })
    const link = await sign(images, 'https://ik.imagekit.io/endpoint/image.jpg', { expires: 'never' }, { now })
    expect(await codes(images, link.replace('?', '&'))).toEqual(['first_question_mark'])
  })
})

describe('the query in another form', () => {
  let place = 0
  test.each<[code: string, signed: string, change: (link: string) => string, name?: Name]>([
    // https://github.com/laravel/framework/issues/42979 and 35269: "@", "[" and "]" arrive in another form than they were signed in.
    ['unescaped_value', 'email=abc%40def.gh', change('%40', '@')],
    ['unescaped_value', 'at=10%3A30', change('%3A', ':')],
    ['unescaped_value', 'next=%2Fa%2Fb', change('%2F', '/')],
    ['unescaped_value', 'operator%5Bname%5D=like', (link) => link.replace('%5B', '[').replace('%5D', ']')],
    ['unescaped_value', 'at=%28%F0%9F%98%80%29', (link) => link.replace('%28', '(').replace('%29', ')')],
    // https://github.com/laravel/vapor-core/pull/181: ?key[]=value1&key[]=value2 becomes ?key%5B0%5D=value1&key%5B1%5D=value2.
    ['array_names', 'key%5B%5D=a&key%5B%5D=b', (link) => link.replace(/%5B%5D/g, () => `%5B${place++ % 2}%5D`)],
    ['array_names', 'key%5B0%5D=a&key%5B1%5D=b', change(/%5B\d%5D/g, '%5B%5D')],
    ['array_names', 'key%5B%5D=a&key%5B%5D=b', change('%5B%5D', '')],
    ['array_names', 'key=a&key=b', change('key=a&key=b', 'key=a%2Cb')],
    ['array_names', 'tag=a&tag=b', change('tag=', 'tag[]='), 'hmac'],
    // https://github.com/laravel/framework/issues/37370: ?param2= and ?param2.
    ['empty_value', 'a=&b=1', change('a=&', 'a&')],
    ['value_decoded', 'next=https%3A%2F%2Fx.example%2F%3Fa%3D1%26b%3D2', change('%26', '&')],
    ['percent_not_escaped', 'rate=100%25', change('100%25', '100%')],
    ['query_normal_form', 'q=caf%C3%A9', change('%C3%A9', 'e%CC%81')],
    ['charset', 'q=caf%C3%A9', change('%C3%A9', '%E9')],
    ['charset', 'q=caf%C3%A9', change('%C3%A9', '%u00e9')],
    ['charset', 'q=caf%C3%A9', change('%C3%A9', '%C3%83%C2%A9')],
    ['charset', 'q=caf%C3%A9', change('%C3%A9', '%E9'), 'hmac'],
    ['plus_for_space', 'q=red%20shoes', change('%20', '%2B')],
  ])('%s: signed with %s', async (code, signed, changed, name = 'laravel') => {
    const link = await linkOf(name, `https://app.example/a?${signed}`)
    expect(changed(link)).not.toBe(link)
    expect(await codes(SCHEMES[name], changed(link))).toEqual([code])
  })
})

describe('another host or path', () => {
  // https://github.com/symfony/symfony-docs/pull/9706 and https://laravel.com/docs/urls: queues and commands have no request to take the host from.
  test.each(['http://localhost', 'http://localhost:8000', 'http://127.0.0.1:8000'])('localhost: signed for %s', async (origin) => {
    for (const name of ['laravel', 'symfony'] as const) {
      const link = await linkOf(name, `${origin}/verify/7`)
      const { mistakes } = await explain(SCHEMES[name], link.replace(origin, 'https://app.example'), { now })
      expect(mistakes).toMatchObject([{ code: 'localhost', sentence: expect.stringContaining(`signed for ${origin},`) }])
    }
  })

  test('host_alphabet: signed for a host beyond ASCII', async () => {
    // `sign` refuses such a host. Laravel signs it, if APP_URL has it.
    const signature = createHmac('sha256', APP_KEY).update('https://bücher.example/a?expires=1893459600').digest('hex')
    const link = `https://xn--bcher-kva.example/a?expires=1893459600&signature=${signature}`
    expect(await codes(SCHEMES.laravel, link)).toEqual(['host_alphabet'])
  })

  // The samples of RFC 3492, section 7.1, and names that are not Punycode.
  test.each([
    ['xn--bcher-kva.example', 'bücher.example'],
    ['xn--ihqwcrb4cv8a8dqg056pqjye', '他们为什么不说中文'],
    ['xn--n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa', 'なぜみんな日本語を話してくれないのか'],
    ['www.xn--mnchen-3ya.de:8080', 'www.münchen.de:8080'],
    ['xn--', 'xn--'],
    ['xn--99999999', 'xn--99999999'],
    ['app.example', 'app.example'],
  ])('Punycode: %s', (host, text) => {
    expect(unicodeHost(host)).toBe(text)
  })

  test.each([
    // try_files $uri $uri/ /index.php?q=$uri&$args; and the like.
    ['front_controller', '/files/a.txt?', '/index.php?q=/files/a.txt&'],
    ['front_controller', '/files/a.txt?', '/index.php?_url=/files/a.txt&'],
    ['front_controller', '/files/a.txt?', '/index.php?route=files%2Fa.txt&'],
    ['session_in_path', '/files/a.txt?', '/files/a.txt;jsessionid=1A2B?'],
    ['punctuation', '/files/a.txt?', '/files/a.txt%20?'],
  ])('%s: %s becomes %s', async (code, from, to) => {
    for (const name of ['hmac', 'laravel'] as const) {
      const link = await linkOf(name, 'https://app.example/files/a.txt?list=news')
      expect(await codes(SCHEMES[name], link.replace(from, to))).toEqual([code])
    }
  })
})

describe('a URL inside of the path', () => {
  const thumbs = thumbor({ secret: 'key' })
  const images = imagekit({ secret: 'private_key' }, { urlEndpoint: 'https://ik.imagekit.io/endpoint/' })

  // https://github.com/thumbor/thumbor/issues/720: Android decodes it, and Akamai makes one slash of two.
  test.each(['https://domain.example/path/image.jpg', 'https:/domain.example/path/image.jpg'])(
    'signed encoded, arrives as %s',
    async (seen) => {
      const encoded = 'https%3A%2F%2Fdomain.example%2Fpath%2Fimage.jpg'
      const link = await sign(thumbs, `https://img.example/575x4096/${encoded}`, { expires: 'never' }, { now })
      expect(await codes(thumbs, link.replace(encoded, seen))).toEqual(['embedded_url'])
    },
  )

  // https://github.com/nginx/njs/issues/123
  test('signed with two slashes, and NGINX merges them', async () => {
    const link = await sign(thumbs, 'https://img.example/300x200/https://domain.example/a.jpg', { expires: 'never' }, { now })
    expect(await codes(thumbs, link.replace('/https://', '/https:/'))).toEqual(['embedded_url'])
  })

  // https://github.com/imagekit-developer/imagekit-php/issues/59: a name with "é"; macOS decomposes it. The ":" and "," must stay as they are.
  test('a name with an accent, decomposed', async () => {
    const link = await sign(images, 'https://ik.imagekit.io/endpoint/tr:w-100,h-50/Rh%C3%A9aume.jpg', { expires: 'never' }, { now })
    expect(await codes(images, link.replace('%C3%A9', 'e%CC%81'))).toEqual(['path_normal_form'])
  })
})

describe('the address of the request', () => {
  const links = SCHEMES.hmac
  const byNginx = nginx({ secret: 'secret' })

  // https://learn.microsoft.com/azure/application-gateway/how-application-gateway-works: X-Forwarded-For is "IP:port". split(',') leaves a space.
  test.each(['203.0.113.7:51234', ' 203.0.113.7', '203.0.113.7, 10.0.0.1', '[::ffff:203.0.113.7]:443'])(
    '%j is not an address',
    async (ip) => {
      const link = await sign(links, 'https://app.example/a', { expires: '1h', ip: '203.0.113.7' }, { now })
      const { verdict, mistakes } = await explain(links, link, { now, ip })
      expect(verdict.reason).toBe('wrong_ip')
      expect(mistakes[0]?.sentence).toContain(`'${ip}' as the address of the request. That is not an address`)
      expect(mistakes[0]?.sentence).toMatch(/ The link opens for (::ffff:)?203\.0\.113\.7\.$/)
      if (!ip.startsWith('[')) {
        const other = await sign(byNginx, 'https://app.example/a', { expires: '1h', ip: '203.0.113.7' }, { now })
        expect(await codes(byNginx, other, { ip })).toEqual(['address_form'])
      }
    },
  )

  test('nothing is said about what it opens for, if it opens for none of them', async () => {
    const link = await sign(links, 'https://app.example/a', { expires: '1h', ip: '203.0.113.7' }, { now })
    const { mistakes } = await explain(links, link, { now, ip: 'unknown, 198.51.100.1:80' })
    expect(mistakes[0]?.sentence).toMatch(/look for a port, white space or a list in it\.$/)
  })

  test.each(['203.0.113.7', '::ffff:203.0.113.7'])('signed for %s, and seen in the other spelling', async (signed) => {
    const link = await sign(byNginx, 'https://app.example/a', { expires: '1h', ip: signed }, { now })
    const seen = signed.startsWith('::') ? '203.0.113.7' : '::ffff:203.0.113.7'
    expect(await codes(byNginx, link, { ip: seen })).toEqual(['address_form'])
  })

  test.each([
    { 'x-forwarded-for': '203.0.113.7:5555, 10.0.0.9' },
    { forwarded: 'for=10.0.0.9, for="203.0.113.7:4711";proto=https' },
    { forwarded: 'for="[::ffff:203.0.113.7]:4711"' },
    { 'cloudfront-viewer-address': '203.0.113.7:443' },
    { 'x-azure-clientip': '203.0.113.7' },
    { 'x-vercel-forwarded-for': '203.0.113.7' },
    { 'x-client-ip': '203.0.113.7' },
  ])('a header of a proxy names it: %j', async (headers) => {
    const link = await sign(links, 'https://app.example/a', { expires: '1h', ip: '203.0.113.7' }, { now })
    const { mistakes } = await explain(links, link, { now, ip: '10.0.0.1', headers: headers as Record<string, string> })
    expect(mistakes[0]?.sentence).toMatch(/^The link is for the address (::ffff:)?203\.0\.113\.7, which a header of the request names/)
  })

  test('an IPv6 address of CloudFront, with a port behind it', async () => {
    for (const port of ['443', '44310']) {
      const link = await sign(links, 'https://app.example/a', { expires: '1h', ip: '2001:db8::7' }, { now })
      const headers = { 'cloudfront-viewer-address': `2001:db8::7:${port}` }
      const { mistakes } = await explain(links, link, { now, ip: '10.0.0.1', headers })
      expect(mistakes[0]?.sentence).toContain('address 2001:db8::7, which')
    }
  })
})

describe('the expiry', () => {
  const md5 = (text: string) => createHash('md5').update(text).digest('base64url')
  const signed = (expires: string) => `https://cdn.example/a?md5=${md5(`${expires}/a secret`)}&expires=${expires}`

  test('a duration in place of a time', async () => {
    const { verdict, mistakes } = await explain(SCHEMES.nginx, signed('3600'), { now })
    expect(verdict.reason).toBe('expired')
    expect(mistakes).toMatchObject([{ code: 'duration_for_time', sentence: expect.stringContaining('a duration of 3600 s was written') }])
  })

  // Many examples compute the expiry as Date.now() + lifetime.
  test('milliseconds: NGINX lets the link live for ever', async () => {
    const { verdict, mistakes } = await explain(SCHEMES.nginx, signed('1893459600000'), { now })
    expect(verdict.ok).toBe(true)
    expect(mistakes).toMatchObject([{ code: 'milliseconds', sentence: expect.stringContaining('never expires') }])
    expect((await explain(SCHEMES.nginx, signed('1893459600'), { now })).mistakes).toEqual([])
  })

  test.each(['2030-01-01T01:00:00Z', '20300101T010000Z', 'Tue,%2001%20Jan%202030%2001:00:00%20GMT'])('the date %s', async (expires) => {
    expect(await codes(SCHEMES.nginx, signed(expires))).toEqual(['date_for_seconds'])
    expect(await codes(SCHEMES.hmac, `https://cdn.example/a?expires=${expires}&signature=${'A'.repeat(43)}`)).toEqual(['date_for_seconds'])
  })
})
