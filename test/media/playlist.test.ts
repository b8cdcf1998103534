// signPlaylist, on the playlists of the specifications: every URL becomes a valid link, and no other byte changes.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { anyOf, hmac, inspect, LinkError, verify } from '../../src/index.ts'
import { attributesOf } from '../../src/media/attributes.ts'
import { signPlaylist } from '../../src/media/playlist.ts'
import { pichax } from '../../src/schemes/pichax.ts'

const key = { secret: '0123456789abcdef0123456789abcdef' }
const links = hmac(key)
const now = () => new Date('2030-01-01T00:00:00Z')
const base = 'https://cdn.test/v/7/index.m3u8'

// RFC 8216 section 8 and draft-pantos-hls-rfc8216bis-17 section 9, with the host of this test; and the URLs that each has.
const PLAYLISTS: Record<string, { readonly text: string; readonly addresses: readonly string[] }> = {
  '8.1 simple media playlist': {
    text: `#EXTM3U
#EXT-X-TARGETDURATION:10
#EXT-X-VERSION:3
#EXTINF:9.009,
http://media.example.com/first.ts
#EXTINF:9.009,
https://cdn.test/second.ts
#EXTINF:3.003,
third.ts
#EXT-X-ENDLIST
`,
    addresses: ['https://cdn.test/second.ts', 'third.ts'],
  },
  '8.2 live media playlist using https': {
    text: `#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:8
#EXT-X-MEDIA-SEQUENCE:2680

#EXTINF:7.975,
https://cdn.test/fileSequence2680.ts
#EXTINF:7.941,
https://cdn.test/fileSequence2681.ts
#EXTINF:7.975,
https://cdn.test/fileSequence2682.ts
`,
    addresses: [0, 1, 2].map((i) => `https://cdn.test/fileSequence268${i}.ts`),
  },
  '8.3 playlist with encrypted media segments, fragmented': {
    text: `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-MEDIA-SEQUENCE:7794
#EXT-X-TARGETDURATION:15

#EXT-X-KEY:METHOD=AES-128,URI="https://cdn.test/key.php?r=52",IV=0x9c7db8778570d05c3177c349fd9236aa
#EXT-X-MAP:URI="init.mp4",BYTERANGE="793@0"

#EXTINF:2.833,
#EXT-X-BYTERANGE:75232@0
fileSequence52-A.m4s
#EXTINF:15.0,
#EXT-X-BYTERANGE:82112
fileSequence52-B.m4s

#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://key/53",KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1"
#EXT-X-KEY:METHOD=AES-128,URI="data:text/plain;base64,AAAA"
#EXTINF:15.0,title, with URI="x"
fileSequence53-A.m4s
#EXT-X-KEY:METHOD=NONE
`,
    addresses: ['https://cdn.test/key.php?r=52', 'init.mp4', 'fileSequence52-A.m4s', 'fileSequence52-B.m4s', 'fileSequence53-A.m4s'],
  },
  '8.4 to 8.6 master playlist with I-frames and alternative audio': {
    text: `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="English",DEFAULT=YES,AUTOSELECT=YES,LANGUAGE="en",URI="main/english-audio.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="URI=commentary",DEFAULT=NO,AUTOSELECT=NO,LANGUAGE="en",URI="commentary/audio-only.m3u8"
#EXT-X-SESSION-DATA:DATA-ID="com.example.lyrics",URI="lyrics.json"
#EXT-X-SESSION-DATA:DATA-ID="com.example.title",LANGUAGE="en",VALUE="This is URI, an example"
#EXT-X-SESSION-KEY:METHOD=AES-128,URI="key.bin"
#EXT-X-STREAM-INF:BANDWIDTH=1280000,CODECS="mp4a.40.2,avc1.64001e",AUDIO="aac"
low/audio-video.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=86000,URI="low/iframe.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=65000,CODECS="mp4a.40.5",AUDIO="aac"
main/english-audio.m3u8
#EXT-X-UNKNOWN:URI="untouched.bin"
`,
    addresses: [
      'main/english-audio.m3u8',
      'commentary/audio-only.m3u8',
      'lyrics.json',
      'key.bin',
      'low/audio-video.m3u8',
      'low/iframe.m3u8',
      'main/english-audio.m3u8',
    ],
  },
  '9.x low-latency playlist': {
    text: `#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-VERSION:9
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.0,CAN-SKIP-UNTIL=24.0
#EXT-X-PART-INF:PART-TARGET=0.33334
#EXT-X-MEDIA-SEQUENCE:266
#EXT-X-PROGRAM-DATE-TIME:2019-02-14T02:13:36.106Z
#EXT-X-MAP:URI="init.mp4"
#EXTINF:4.00008,
fileSequence266.mp4
#EXT-X-PART:DURATION=0.33334,URI="filePart271.0.mp4"
#EXT-X-PART:DURATION=0.33334,URI="filePart271.a.mp4",INDEPENDENT=YES,BYTERANGE="18000@20000"
#EXTINF:4.00008,
fileSequence271.mp4
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="filePart273.3.mp4",BYTERANGE-START=0

#EXT-X-RENDITION-REPORT:URI="../1M/waitForMSN.php",LAST-MSN=273,LAST-PART=2
#EXT-X-RENDITION-REPORT:URI="../4M/waitForMSN.php",LAST-MSN=273,LAST-PART=1
`,
    addresses: [
      'init.mp4',
      'fileSequence266.mp4',
      'filePart271.0.mp4',
      'filePart271.a.mp4',
      'fileSequence271.mp4',
      'filePart273.3.mp4',
      '../1M/waitForMSN.php',
      '../4M/waitForMSN.php',
    ],
  },
  'the demo': {
    text: readFileSync(fileURLToPath(new URL('../../docs/playground/files/video/index.m3u8', import.meta.url)), 'utf8'),
    addresses: ['init.mp4', ...[0, 1, 2, 3, 4].map((i) => `segment-${i}.m4s`)],
  },
}

/** The URL of the only link in a playlist, as it is written there. The link must be valid. */
async function signedUrl(playlist: string): Promise<string | undefined> {
  const [link = ''] = playlist.match(/https:\S*/) ?? []
  expect(await verify(links, link, { now })).toMatchObject({ ok: true })
  return inspect(links, link)?.unverified.resource
}

const LINK = /https:\/\/cdn\.test\/[^"\s]*signature=[\w-]+/g

describe.each(Object.entries(PLAYLISTS))('%s', (_name, { text, addresses }) => {
  test('its URLs become valid links in their order, and nothing else changes', async () => {
    for (const whole of [text, text.replaceAll('\n', '\r\n'), `\ufeff${text}`, text.trimEnd()]) {
      const signed = await signPlaylist(links, whole, { base, expires: '1h', now })
      const found = signed.match(LINK) ?? []
      const resources: unknown[] = []
      for (const link of found) {
        const verdict = await verify(links, link, { now })
        expect(verdict.ok, link).toBe(true)
        resources.push(verdict.claims?.resource)
      }
      expect(resources).toEqual(addresses.map((address) => new URL(address, base).href))
      let i = 0
      expect(signed.replace(LINK, () => addresses[i++] as string)).toBe(whole)
    }
  })

  test('a base without a host gives paths', async () => {
    const local = text.replaceAll('https://cdn.test/', '/')
    const signed = await signPlaylist(links, local, { base: '/v/7/index.m3u8', expires: '1h', now })
    expect(signed).not.toContain('path.invalid')
    const [link = ''] = signed.match(/(?<=^|")\/[^"\s]*signature=[\w-]+/m) ?? []
    expect(await verify(links, link, { now })).toMatchObject({ ok: true })
  })
})

test('with a prefix in the path, all links have one token, which also opens the files of inner playlists', async () => {
  const inPath = hmac(key, { placement: 'path' })
  const { text } = PLAYLISTS['the demo'] as { text: string }
  const signed = await signPlaylist(inPath, text, { base, expires: '1h', prefix: '/v/7/', now })
  const tokens = new Set([...signed.matchAll(/https:\/\/cdn\.test\/(expires=[^/]*)\/v\/7\//g)].map(([, token]) => token))
  expect(tokens.size).toBe(1)
  const [token] = tokens
  expect(signed.replaceAll(`https://cdn.test/${token}/v/7/`, '')).toBe(text)
  expect(await verify(inPath, `https://cdn.test/${token}/v/7/720p/other.m4s`, { now })).toMatchObject({ ok: true })
  expect(await verify(inPath, `https://cdn.test/${token}/v/8/other.m4s`, { now })).toMatchObject({ reason: 'wrong_path' })
})

test('a URL outside the prefix is an error, and does not stay unsigned', async () => {
  const outside = '#EXTM3U\n#EXTINF:1,\n../8/a.ts\n'
  await expect(signPlaylist(links, outside, { base, expires: '1h', prefix: '/v/7/' })).rejects.toMatchObject({ code: 'bad_option' })
})

test('URLs of other hosts are not signed', async () => {
  const theirs = [
    'https://cdn.test.evil/a.ts',
    '//evil/a.ts',
    'http://cdn.test/a.ts',
    'https://cdn.test:8443/a.ts',
    'https://u@evil/a.ts',
    'data:,x',
    'blob:https://cdn.test/x',
    '\\\\evil/a.ts',
    'https://[',
  ]
  const text = `#EXTM3U\n${theirs.map((url) => `#EXTINF:1,\n${url}\n`).join('')}`
  expect(await signPlaylist(links, text, { base, expires: '1h' })).toBe(text)
})

describe('a path as the base', () => {
  const local = (entry: string, base = '/v/7/index.m3u8') =>
    signPlaylist(links, `#EXTM3U\n#EXTINF:1,\n${entry}\n`, { base, expires: '1h', now })

  test.each([
    '//securelink.invalid//evil.example/x',
    '//path.invalid//evil.example/x',
    'http://path.invalid/x',
    'http://path.invalid//evil.example/x',
    '//PATH.invalid/x',
    '//p%61th.invalid/x',
    '/\t/path.invalid//evil.example/x',
    '\\\\path.invalid/x',
    '/\\path.invalid/x',
    'http:/x',
    '/.//evil.example/x',
    '/a/..//evil.example/x',
    '..//..//evil.example/x',
    '../..//evil.example/x',
    './/../..//..//evil.example/x',
    'https://u:p@path.invalid/x',
  ])('%s is never a link to another host', async (entry) => {
    const [, , line = ''] = (await local(entry)).split('\n')
    // Either unchanged, or a path on this host.
    if (line !== entry) {
      expect(line).toMatch(/^\/(?![/\\])/)
      expect((await verify(links, line, { now })).claims?.resource).toBe(new URL(entry, `https://own.test/v/7/`).pathname)
      expect(new URL(line, 'https://own.test/').host).toBe('own.test')
    }
    if (/invalid/.test(entry)) expect(line).toBe(entry)
  })

  test('a base with two slashes inside its path', async () => {
    expect(await local('x', '/.//evil.example/i.m3u8')).toBe('#EXTM3U\n#EXTINF:1,\nx\n')
  })
})

test('a URL with credentials is not signed, and does not stop the others', async () => {
  const signed = await signPlaylist(links, '#EXTM3U\nhttps://u@cdn.test/a.ts\nhttps://u:p@cdn.test/b.ts\nc.ts\n', {
    base,
    expires: '1h',
    now,
  })
  expect(signed).toContain('\nhttps://u@cdn.test/a.ts\nhttps://u:p@cdn.test/b.ts\nhttps://cdn.test/v/7/c.ts?')
})

describe('every tag with a URL', () => {
  // RFC 8216bis-17 (4.4.2 to 4.4.6, appendix D), Roku's image playlists, and what hls.js and Twitch's player read.
  test.each([
    ['#EXT-X-KEY:METHOD=AES-128,URI="', '"'],
    ['#EXT-X-MAP:URI="', '",BYTERANGE="793@0"'],
    ['#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="URI=x,",NAME="a",URI="', '"'],
    ['#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="', '"'],
    ['#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=1,RESOLUTION=1x1,CODECS="jpeg",URI="', '"'],
    ['#EXT-X-PART:DURATION=1,URI="', '",INDEPENDENT=YES'],
    ['#EXT-X-PRELOAD-HINT:TYPE=PART,URI="', '"'],
    ['#EXT-X-RENDITION-REPORT:URI="', '",LAST-MSN=1'],
    ['#EXT-X-SESSION-KEY:METHOD=AES-128,URI="', '"'],
    ['#EXT-X-SESSION-DATA:DATA-ID="d",URI="', '"'],
    ['#EXT-X-CONTENT-STEERING:SERVER-URI="', '",PATHWAY-ID="a"'],
    ['#EXT-X-DATERANGE:ID="a",CLASS="com.apple.hls.interstitial",START-DATE="2030-01-01T00:00:00Z",X-ASSET-URI="', '"'],
    ['#EXT-X-DATERANGE:ID="a",X-ASSET-LIST="', '",X-RESUME-OFFSET=0'],
    ['#EXT-X-PREFETCH:', ''],
    ['#EXT-X-PREFETCH: ', ' '],
    ['#EXT-X-TWITCH-PREFETCH:', ''],
    // hls.js and video.js read tags that are indented.
    ['  #EXT-X-MAP:URI="', '"'],
    ['\t#EXT-X-PREFETCH:', ''],
    ['', ''],
    [' ', '\t'],
  ])('%s…%s', async (before, after) => {
    const text = `#EXTM3U\n${before}a/b.bin${after}\n`
    const told: unknown[] = []
    const signed = await signPlaylist(links, text, { base, expires: '1h', now, left: (one) => told.push(one) })
    const [link = '', ...more] = signed.match(LINK) ?? []
    expect(more).toEqual([])
    expect((await verify(links, link, { now })).claims?.resource).toBe('https://cdn.test/v/7/a/b.bin')
    expect(signed.replace(link, 'a/b.bin')).toBe(text)
    expect(told).toEqual([])
  })

  test('`left` is called for each URL that is not signed', async () => {
    const text = `\ufeff#EXTM3U\r\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://key/53"\r\n#EXT-X-UNKNOWN:URI="x.bin",X-URL="y.bin",NAME="z"\r\n#EXT-X-PREFETCH:\r\n//other.test/a.ts\r\n#EXT-X-DATERANGE:X-COM-A-URI="u.bin"\r\n`
    const told: unknown[] = []
    expect(await signPlaylist(links, text, { base, expires: '1h', now, left: (one) => told.push(one) })).toBe(text)
    expect(told).toEqual([
      { address: 'skd://key/53', line: 2, tag: 'EXT-X-KEY', reason: 'other_origin' },
      { address: 'x.bin', line: 3, tag: 'EXT-X-UNKNOWN', reason: 'unknown_tag' },
      { address: 'y.bin', line: 3, tag: 'EXT-X-UNKNOWN', reason: 'unknown_tag' },
      { address: '//other.test/a.ts', line: 5, reason: 'other_origin' },
      { address: 'u.bin', line: 6, tag: 'EXT-X-DATERANGE', reason: 'unknown_tag' },
    ])
  })
})

describe('work, counted', () => {
  /** The number of characters that `attributesOf` looks at. */
  function looked(line: string): number {
    let count = 0
    const indexOf = String.prototype.indexOf
    const lastIndexOf = String.prototype.lastIndexOf
    String.prototype.indexOf = function (this: string, text: string, from = 0) {
      const at = indexOf.call(this, text, from)
      count += (at < 0 ? this.length : at + 1) - from
      return at
    }
    String.prototype.lastIndexOf = function (this: string, text: string) {
      count += this.length
      return lastIndexOf.call(this, text)
    }
    // A regular expression may look at a character any number of times, so none is used.
    const exec = vi.spyOn(RegExp.prototype, 'exec')
    try {
      attributesOf(line, 0)
      if (exec.mock.calls.length > 0) return Number.POSITIVE_INFINITY
    } finally {
      Object.assign(String.prototype, { indexOf, lastIndexOf })
      exec.mockRestore()
    }
    return count
  }

  test.each(['A', 'A=', 'A,', '"', '="', 'A="', ',=', 'URI="a",', 'A-', '{$', 'A=",'])(
    'no character of %s… is looked at more than four times',
    (piece) => {
      const line = piece.repeat(80_000 / piece.length)
      expect(looked(line)).toBeLessThanOrEqual(4 * line.length)
    },
  )

  test('a URL does not grow without a limit', async () => {
    const text = `#EXTM3U\n#EXT-X-DEFINE:NAME="a",VALUE="${'x'.repeat(10_000)}"\n${'{$a}'.repeat(10_000)}\n`
    await expect(signPlaylist(links, text, { base, expires: '1h' })).rejects.toMatchObject({
      code: 'bad_option',
      option: 'playlist',
      message: 'playlist must be one with URLs of at most 16,384 characters',
    })
  })
})

test('an attribute that has no value, or only begins like the name of a URL stays as it is', async () => {
  const text = '#EXTM3U\n#EXT-X-MAP:URI=""\n#EXT-X-UNKNOWN:URI-TYPE="a",X-URLS="b"\n'
  const told: unknown[] = []
  expect(await signPlaylist(links, text, { base, expires: '1h', now, left: (one) => told.push(one) })).toBe(text)
  expect(told).toEqual([])
})

test('an attribute without quotes, or in lower case, is not signed, and `left` is called', async () => {
  const text = '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=key.bin,IV=0x1\n#EXT-X-MAP:uri="init.mp4"\n'
  const told: unknown[] = []
  expect(await signPlaylist(links, text, { base, expires: '1h', now, left: (one) => told.push(one) })).toBe(text)
  expect(told).toEqual([
    { address: 'key.bin', line: 2, tag: 'EXT-X-KEY', reason: 'unknown_tag' },
    { address: 'init.mp4', line: 3, tag: 'EXT-X-MAP', reason: 'unknown_tag' },
  ])
})

test('text in front of an attribute is not a part of its name', async () => {
  const signed = await signPlaylist(links, '#EXTM3U\n#EXT-X-MAP:odd, URI="a.bin"\n', { base, expires: '1h', now })
  expect(signed).toMatch(/^#EXTM3U\n#EXT-X-MAP:odd, URI="https:\/\/cdn\.test\/v\/7\/a\.bin\?/)
})

test('$ in a URL stays a $', async () => {
  const signed = await signPlaylist(links, "#EXTM3U\n#EXTINF:1,\na$&b$'.ts?x=$1\n", { base, expires: '1h', now })
  expect(await signedUrl(signed)).toBe('https://cdn.test/v/7/a$&b$%27.ts?x=$1')
})

describe('variables (EXT-X-DEFINE)', () => {
  const sign = (text: string) => signPlaylist(links, `#EXTM3U\n${text}`, { base, expires: '1h', now })

  test('are replaced by their values', async () => {
    const signed = await sign(
      '#EXT-X-DEFINE:NAME="auth",VALUE="a,b=1"\n#EXT-X-DEFINE:NAME="dir",VALUE="720p"\n#EXTINF:1,\n{$dir}/a.ts?t={$auth}\n',
    )
    expect(await signedUrl(signed)).toBe('https://cdn.test/v/7/720p/a.ts?t=a,b=1')
    expect(signed).toContain('#EXT-X-DEFINE:NAME="auth",VALUE="a,b=1"\n')
  })

  // RFC 8216bis, section 4.4.2.3; shaka-player#5333
  test('from the query of the URL of the playlist (QUERYPARAM) are percent-decoded', async () => {
    const text = '#EXTM3U\n #EXT-X-DEFINE:QUERYPARAM="dir"\n#EXTINF:1,\n{$dir}/a.ts\n'
    const signed = await signPlaylist(links, text, { base: `${base}?x=1&dir=720p%2Fh264`, expires: '1h', now })
    expect(await signedUrl(signed)).toBe('https://cdn.test/v/7/720p/h264/a.ts')
    const path = await signPlaylist(links, text, { base: '/v/7/index.m3u8?dir=720p', expires: '1h', now })
    expect(path).toContain('\n/v/7/720p/a.ts?expires=')
  })

  test.each(['IMPORT="auth"', 'QUERYPARAM="auth"'])('that have no value are an error: %s', async (definition) => {
    await expect(sign(`#EXT-X-DEFINE:${definition}\n#EXTINF:1,\na.ts?t={$auth}\n`)).rejects.toMatchObject({ code: 'bad_option' })
  })
})

test.each(['', 'hello', '<!doctype html>', '\n#EXTM3U', '#EXTM3UX'])('not a playlist: %j', async (text) => {
  await expect(signPlaylist(links, text, { base, expires: '1h' })).rejects.toMatchObject({ code: 'bad_option' })
})

test.each(['index.m3u8', '', '//h/x', 'file:///x'])('not a base: %j', async (base) => {
  await expect(signPlaylist(links, '#EXTM3U\n', { base, expires: '1h' })).rejects.toMatchObject({ code: 'bad_option' })
})

test('all links have one time, also while the clock goes on', async () => {
  let time = +now()
  const text = `#EXTM3U\n${'#EXTINF:1,\na.ts\n'.repeat(5)}`
  const signed = await signPlaylist(links, text, { base, expires: '1h', now: () => new Date((time += 10_000)) })
  expect(new Set(signed.match(LINK)).size).toBe(1)
})

describe('arguments', () => {
  const playlist = '#EXTM3U\n#EXTINF:1,\na.ts\n'
  const options = { base, expires: '1h', now } as const
  const call = signPlaylist as (...all: unknown[]) => Promise<string>

  test.each([
    ['a playlist in place of the scheme', [playlist, links, options], 'scheme', /^scheme must be a scheme with its keys/],
    ['a promise', [links, Promise.resolve(playlist), options], 'playlist', /^playlist must be text.*; await a promise first/],
    ['a Response', [links, new Response(playlist), options], 'playlist', /of a Response pass await response\.text\(\)$/],
    ['no options', [links, playlist], 'options', /^options must be an object such as/],
    ['no base', [links, playlist, { expires: '1h' }], 'base', /^base must be the URL of the playlist/],
    ['no expires', [links, playlist, { base }], 'expires', /^expires must be/],
    ['a Date as now', [links, playlist, { ...options, now: new Date() }], 'now', /^now must be a function that returns a Date/],
    ['a left that is not a function', [links, playlist, { ...options, left: [] }], 'left', /^left must be a function/],
    [
      'an unknown option, also without a URL to sign',
      [links, '#EXTM3U\n', { ...options, prefixes: '/v/' }],
      'prefixes',
      /^unknown option 'prefixes'; signPlaylist\(\) with hmac links takes base, left, now, expires, align, starts, method, ip, prefix, uses, id$/,
    ],
  ])('%s', async (_name, all, option, message) => {
    const error = await call(...all).catch((error) => error)
    expect(error).toBeInstanceOf(LinkError)
    expect(error).toMatchObject({ code: 'bad_option', option, message: expect.stringMatching(message) })
  })

  test('a condition that the links cannot carry', async () => {
    const scheme = pichax({ id: 'k', secret: 's' })
    await expect(call(scheme, playlist, { ...options, id: 'x', ip: '192.0.2.1' })).rejects.toMatchObject({
      code: 'unsupported_condition',
      option: 'ip',
    })
    expect(await call(anyOf(scheme, links), playlist, { ...options, id: 'x' })).toContain('id=x&')
  })
})
