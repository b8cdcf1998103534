// signManifest: which URLs of a DASH manifest get a token, and that nothing else changes.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Conditions, hmac, LinkError, type Scheme, verify } from '../../src/index.ts'
import { type LeftAddress, signManifest } from '../../src/media.ts'
import { akamai } from '../../src/schemes/akamai.ts'

const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
const base = 'https://cdn.example/videos/7/index.mpd'
const prefix = '/videos/7/'
const now = () => new Date('2030-01-01T00:00:00Z')
const inPrefix = { base, expires: '6h', prefix, now } as const

const MANIFEST = `<?xml version="1.0" encoding="utf-8"?>
<!-- <BaseURL>commented/</BaseURL> -->
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:xlink="http://www.w3.org/1999/xlink" type="dynamic">
  <ProgramInformation moreInformationURL="https://www.example/about"><Title>A &amp; B</Title></ProgramInformation>
  <Location>index.mpd?live=1</Location>
  <Period id="1" xlink:href="period-1.xml" xlink:actuate="onLoad">
    <AdaptationSet mimeType="video/mp4">
      <SegmentTemplate timescale="1" duration="2" media="$RepresentationID$/part-$Number%05d$.m4s" initialization='$RepresentationID$/init.mp4?v=1&amp;w=2'/>
      <Representation id="720p" bandwidth="1"><BaseURL>video/</BaseURL></Representation>
    </AdaptationSet>
    <AdaptationSet mimeType="audio/mp4">
      <Representation id="audio" bandwidth="1">
        <BaseURL> sound.mp4 </BaseURL>
        <SegmentBase indexRange="0-100"><Initialization range="0-50" sourceURL="init-a.mp4"/></SegmentBase>
      </Representation>
      <Representation id="list" bandwidth="1">
        <SegmentList><SegmentURL media="list/1.mp4" mediaRange="0-9"/><SegmentURL media="https://other.example/2.mp4"/></SegmentList>
      </Representation>
    </AdaptationSet>
  </Period>
  <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="https://time.example/now"/>
</MPD>
`

const token = String.raw`(\?|&amp;)expires=\d+&amp;prefix=[^"'<& ]+&amp;signature=[\w-]{43}`
const withoutTokens = (signed: string) => signed.replace(new RegExp(token, 'g'), '')
const urls = (signed: string) => [...signed.matchAll(new RegExp(`([^"'> ]*)${token}`, 'g'))].map(([url]) => url.replaceAll('&amp;', '&'))

test('files, templates, lists, the location and linked elements get a token, and nothing else changes', async () => {
  const left: LeftAddress[] = []
  const signed = await signManifest(links, MANIFEST, { ...inPrefix, left: (one) => left.push(one) })
  expect(withoutTokens(signed)).toBe(MANIFEST)
  expect(urls(signed).map((url) => url.replace(/[?&]expires=.*/, ''))).toEqual([
    'index.mpd?live=1',
    'period-1.xml',
    '$RepresentationID$/part-$Number%05d$.m4s',
    '$RepresentationID$/init.mp4?v=1&w=2',
    'sound.mp4',
    'init-a.mp4',
    'list/1.mp4',
  ])
  expect(left).toEqual([{ address: 'https://other.example/2.mp4', line: 17, tag: 'SegmentURL', reason: 'other_origin' }])
})

test('what a player makes of each URL verifies', async () => {
  const signed = await signManifest(links, MANIFEST, inPrefix)
  for (const url of urls(signed)) {
    const made = url.replace('$RepresentationID$', '720p').replace('$Number%05d$', '00017')
    for (const from of [base, 'https://cdn.example/videos/7/video/'])
      expect(await verify(links, new URL(made, from), { now })).toMatchObject({ ok: true })
  }
  const [first = ''] = urls(signed)
  expect(await verify(links, new URL(first, 'https://cdn.example/videos/8/'), { now })).toMatchObject({ reason: 'wrong_path' })
})

const element = (inside: string) => `<MPD><Period><AdaptationSet>${inside}</AdaptationSet></Period></MPD>`
const sign = (inside: string, conditions: object = {}, scheme: Scheme = links) =>
  signManifest(scheme as typeof links, element(inside), { base, expires: '6h', now, ...conditions } as {
    base: string
  } & Conditions<'prefix'>)

describe('without a prefix', () => {
  test('files are signed one by one, by the URL that their BaseURL gives them', async () => {
    const signed = await sign('<BaseURL>sound/</BaseURL><SegmentList><SegmentURL media="1.mp4"/></SegmentList>')
    const [, media = ''] = /media="([^"]*)"/.exec(signed) ?? []
    const url = new URL(media.replaceAll('&amp;', '&'), 'https://cdn.example/videos/7/sound/')
    expect(await verify(links, url, { now })).toMatchObject({ ok: true, claims: { resource: 'https://cdn.example/videos/7/sound/1.mp4' } })
  })
  test.each([
    ['a template', '<SegmentTemplate media="$Number$.m4s"/>'],
    [
      'a BaseURL inside of the element whose segments it changes',
      '<SegmentTemplate media="a.m4s"/><Representation><BaseURL>b/</BaseURL></Representation>',
    ],
    [
      'the same with a list',
      '<SegmentList><SegmentURL media="a.m4s"/></SegmentList><Representation><BaseURL>b/</BaseURL></Representation>',
    ],
  ])('%s asks for one', async (_name, inside) => {
    await expect(sign(inside)).rejects.toMatchObject({ code: 'bad_option', option: 'prefix' })
    expect(await sign(inside, { prefix })).toContain('signature=')
  })
  test('a BaseURL of one element does not concern the next', async () => {
    const period = '<Representation><SegmentList><SegmentURL media="a.m4s"/></SegmentList></Representation>'
    expect(await sign(`${period}<Representation><BaseURL>b/</BaseURL></Representation>`)).toContain('signature=')
  })
})

test.each([
  ['a path as base', '/videos/7/index.mpd', '<BaseURL>sound.mp4</BaseURL>', 1, 0],
  ['a path as base, and a host', '/videos/7/index.mpd', '<BaseURL>https://cdn.example/sound.mp4</BaseURL>', 0, 1],
  [
    'a BaseURL of another host, and what is relative to it',
    base,
    '<BaseURL>https://other.example/</BaseURL><SegmentTemplate media="1.m4s"/>',
    0,
    1,
  ],
  ['credentials', base, '<BaseURL>https://a:b@cdn.example/x.mp4</BaseURL>', 0, 1],
  ['a data: URL', base, '<SegmentTemplate initialization="data:video/mp4;base64,AAAA"/>', 0, 1],
  ['CDATA', base, '<BaseURL><![CDATA[sound.mp4?a=1&b=2]]></BaseURL>', 1, 0],
  ['a name in place of a link', base, '<S xlink:href="urn:mpeg:dash:resolve-to-zero:2013"/>', 0, 0],
  [
    'a prefix of the elements',
    base,
    '</AdaptationSet></Period><d:Period><d:BaseURL>a.mp4</d:BaseURL></d:Period><Period><AdaptationSet>',
    1,
    0,
  ],
])('%s', async (_name, base, inside, signed, unsigned) => {
  const left: LeftAddress[] = []
  const text = await sign(inside, { base, left: (one: LeftAddress) => left.push(one) })
  expect([text.match(/signature=/g)?.length ?? 0, left.length]).toEqual([signed, unsigned])
})

test('entities of XML stand for their characters', async () => {
  // A scheme that leaves the apostrophe as it is.
  const edge = akamai({ secret: 'aabbccddeeff00112233445566778899' })
  const entities = 'a&#x2F;b&#x2f;c&#47;d&amp;e&apos;f.mp4'
  const signed = await sign(`<BaseURL>${entities}</BaseURL>`, {}, edge as never)
  expect(signed).toContain(`<BaseURL>${entities}?`)
  const added = signed.slice(signed.indexOf(entities) + entities.length).split('<', 1)[0] as string
  const url = `https://cdn.example/videos/7/a/b/c/d&e'f.mp4${added.replaceAll('&amp;', '&')}`
  expect(await verify(edge, url, { now })).toMatchObject({ ok: true })
})

test('a number beyond Unicode stands for no character', async () => {
  expect((await sign('<BaseURL>a&#x10ffff;.mp4</BaseURL>')).match(/signature=/g)).toHaveLength(1)
  // It stays as it is, and its # would begin a fragment.
  for (const number of ['&#x110000;', '&#1114112;'])
    await expect(sign(`<BaseURL>a${number}.mp4</BaseURL>`)).rejects.toMatchObject({
      code: 'bad_option',
      message: 'manifest must be one whose URLs have no fragment',
    })
})

test('a Location does not change what other URLs are relative to', async () => {
  const inside = '<Location>other/index.mpd</Location><SegmentList><SegmentURL media="1.mp4"/></SegmentList>'
  const [, media = ''] = /media="([^"]*)"/.exec(await sign(inside)) ?? []
  expect(await verify(links, new URL(media.replaceAll('&amp;', '&'), base), { now })).toMatchObject({ ok: true })
})

// ETSI TS 103 998, section 6.3
test('the server of content steering gets a token on your host, and is told to `left` on another one', async () => {
  const steering = (url: string) => `<MPD><ContentSteering defaultServiceLocation="a">${url}</ContentSteering></MPD>`
  const left: LeftAddress[] = []
  const options = { base, expires: '6h', now, left: (one: LeftAddress) => left.push(one) } as const
  const signed = await signManifest(links, steering('/steering?x=1'), options)
  const [, link = ''] = /<ContentSteering [^>]*>(.*)<\/ContentSteering>/.exec(signed) ?? []
  expect(await verify(links, new URL(link.replaceAll('&amp;', '&'), base), { now })).toMatchObject({ ok: true })
  expect(left).toEqual([])
  await signManifest(links, steering('https://other.example/steering'), options)
  expect(left).toEqual([{ address: 'https://other.example/steering', line: 1, tag: 'ContentSteering', reason: 'other_origin' }])
})

test('a scheme of a CDN', async () => {
  const edge = akamai({ secret: 'aabbccddeeff00112233445566778899' })
  expect(await sign('<SegmentTemplate media="$Time$.m4s"/>', { prefix }, edge as never)).toMatch(/media="\$Time\$\.m4s\?\w+=exp=/)
})

describe('mistakes', () => {
  const wrong = async (manifest: unknown, options: object = inPrefix, scheme: unknown = links) =>
    signManifest(scheme as typeof links, manifest as string, options as typeof inPrefix).then(
      () => undefined,
      (error: LinkError) => (error instanceof LinkError ? error.message : error),
    )
  test.each([
    ['text', 'manifest must be text with an MPD element'],
    [
      Promise.resolve(MANIFEST),
      'manifest must be text with an MPD element; await a promise first, and of a Response pass await response.text()',
    ],
    ['<MPD><Period></MPD>', 'manifest must be XML whose elements are closed in their order'],
    ['<MPD><Period></Period>', 'manifest must be XML whose elements are all closed'],
    ['<!DOCTYPE MPD [<!ENTITY a "b">]><MPD/>', 'manifest must be well-formed XML without a document type'],
    ['<MPD a="1', 'manifest must be well-formed XML without a document type'],
    [
      element('<SegmentTemplate media="a?n=$Number$"/>'),
      'manifest must be one whose templates have their identifiers in the path, because the signature covers the query',
    ],
  ])('%s', async (manifest, message) => {
    expect(await wrong(manifest)).toBe(message)
  })
  test('options and schemes', async () => {
    expect(await wrong(MANIFEST, inPrefix, { secret: 'x' })).toMatch(/^scheme must be a scheme with its keys/)
    const { prefix: _, ...withoutPrefix } = inPrefix
    expect(await wrong(MANIFEST, withoutPrefix)).toBe(
      'prefix must be given for a manifest with templates: the folder of the URLs that a player makes',
    )
    expect(await wrong(MANIFEST, { ...inPrefix, base: 'index.mpd' })).toMatch(/^base must be the URL of the playlist or manifest/)
    expect(await wrong(MANIFEST, { ...inPrefix, life: '1h' })).toMatch(
      /^unknown option 'life'; signManifest\(\) with hmac links takes base,/,
    )
    const inPath = hmac({ secret: '0123456789abcdef0123456789abcdef' }, { placement: 'path' })
    expect(await wrong(MANIFEST, inPrefix, inPath)).toMatch(/^scheme must be one with its token in the query/)
  })
})

test.each([
  ['of an attribute', `<MPD ${'a'.repeat(100_000)}></MPD>`],
  ['of an element', `<MPD ><${'a'.repeat(100_000)}`],
])('a long name %s takes as many steps as it has characters, and not their square', async (_, manifest) => {
  const signed = await signManifest(links, manifest, inPrefix).catch((error: LinkError) => error.code)
  expect([manifest, 'bad_option']).toContain(signed)
})

test('any text: a LinkError or a manifest, in linear time', async () => {
  const part = fc.constantFrom(
    '<MPD>',
    '</MPD>',
    '<BaseURL>',
    '</BaseURL>',
    '<SegmentTemplate media="',
    '$Number$',
    '"/>',
    'a',
    '&amp;',
    '&#x0;',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<',
    "'",
    ' ',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 30 }), async (parts) => {
      await signManifest(links, `<MPD>${parts.join('')}</MPD>`, inPrefix).catch((error) => expect(error).toBeInstanceOf(LinkError))
    }),
    { numRuns: 500 },
  )
  // A regular expression that goes back over such text would need hours.
  for (const piece of ['<a b="', '<a ', '<!--', '<![CDATA[', "<a b='c' ", '&#x'])
    await signManifest(links, `<MPD>${piece.repeat(20_000)}`, inPrefix).catch((error) => expect(error).toBeInstanceOf(LinkError))
})
