// fetchLink, expiresIn and serverClock with the classes of a window. The network is a function that keeps a list of requests.
import { describe, expect, test, vi } from 'vitest'
import { expiresIn, fetchLink, freshLink, keepFresh, serverClock } from '../../src/client.ts'
import { anyOf, hmac, LinkError, sign } from '../../src/index.ts'

const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
const HOUR = 3_600_000
let counter = 0
/** A new link each time, because renewals are remembered by the text of the link. */
const make = (life: number, now = Date.now()) =>
  sign(links, `https://h.test/${++counter}`, { expires: new Date(now + life) }, { now: () => new Date(Math.min(now, now + life - 1000)) })

/** A network whose server has a clock of its own. */
function network(clock = () => Date.now()) {
  const requests: { url: string; init: RequestInit | undefined }[] = []
  const send = async (url: string | URL | Request, init?: RequestInit) => {
    requests.push({ url: String(url), init })
    const expired = (expiresIn(String(url), { now: () => new Date(clock()) }) ?? 1) <= 0
    return new Response('body', { status: expired ? 410 : 200, headers: { date: new Date(clock()).toUTCString() } })
  }
  return { send: send as typeof fetch, requests }
}

describe('expiresIn', () => {
  const now = () => new Date(1_767_225_600_000)
  test('counts in milliseconds, and is negative for an expired link', () => {
    const link = (expires: number) => `https://h.test/x?expires=${expires}&signature=${'0'.repeat(64)}`
    expect(expiresIn(link(1_767_225_660), { now })).toBe(60_000)
    expect(expiresIn(new URL(link(1_767_225_540)), { now })).toBe(-60_000)
  })
  test('is undefined for texts that do not show an expiry', () => {
    expect(expiresIn('https://h.test/x')).toBeUndefined()
    expect(expiresIn(`https://h.test/x?s=${'0'.repeat(32)}`)).toBeUndefined()
    expect(expiresIn('')).toBeUndefined()
  })
  test('reads by a scheme', () => {
    const scheme = hmac([], { parameters: { expires: 'e', signature: 's' } })
    const link = `https://h.test/x?e=1767225660&s=${'A'.repeat(43)}`
    expect(expiresIn(link, { now, scheme })).toBe(60_000)
    expect(expiresIn(link, { now })).toBeUndefined()
  })
  test('reads by any scheme of anyOf', () => {
    const scheme = anyOf(hmac([], { parameters: { expires: 'e', signature: 's' } }), hmac([]))
    for (const [expires, signature] of [['e', 's'] as const, ['expires', 'signature'] as const])
      expect(expiresIn(`https://h.test/x?${expires}=1767225660&${signature}=${'A'.repeat(43)}#top`, { now, scheme })).toBe(60_000)
    expect(expiresIn('https://h.test/x', { now, scheme })).toBeUndefined()
  })
  test('can be called by map(), whatever that passes besides', () => {
    expect(['https://h.test/x'].map(expiresIn as (link: string) => number | undefined)).toEqual([undefined])
  })
  test.each([
    [undefined, {}, 'link must be a string or a URL; await promises, and pass request.url'],
    [Promise.resolve('https://h.test/x'), {}, 'link must be a string or a URL; await promises, and pass request.url'],
    ['https://h.test/x', { clocks: 1 }, "unknown option 'clocks'; expiresIn() takes scheme, clock, now"],
    ['https://h.test/x', { scheme: 'hmac' }, 'scheme must be a scheme, such as hmac([])'],
  ])('%s with %j is an error', (link, options, message) => {
    expect(() => expiresIn(link as string, options as object)).toThrow(message)
  })
  test('of two readings takes the first to expire', () => {
    const link = `https://h.test/?token=exp=1767225660~acl=/*~hmac=${'0'.repeat(64)}`
    expect(expiresIn(link, { now })).toBe(60_000)
  })
})

describe('fetchLink', () => {
  test('sends a valid link as it is, with the options of fetch', async () => {
    const { send, requests } = network()
    const link = await make(HOUR)
    const renew = vi.fn()
    const response = await fetchLink(link, { renew, fetch: send, method: 'POST', body: 'x', headers: { a: 'b' } })
    expect(response.status).toBe(200)
    expect(requests).toEqual([{ url: link, init: { method: 'POST', body: 'x', headers: { a: 'b' } } }])
    expect(renew).not.toHaveBeenCalled()
  })

  test('an expired link without renew is an error, and no request is sent', async () => {
    const { send, requests } = network()
    const error = await fetchLink(await make(-1000), { fetch: send }).catch((error) => error)
    expect(error).toBeInstanceOf(LinkError)
    expect(error).toMatchObject({ code: 'expired_link', option: 'link' })
    expect(requests).toEqual([])
  })

  test('a URL that is not a link is fetched, and a refusal leads to one renewal', async () => {
    const { send, requests } = network()
    expect((await fetchLink('https://h.test/plain', { fetch: send })).status).toBe(200)
    const answers = [403, 403]
    const refusing = (async (url) => {
      requests.push({ url: String(url), init: undefined })
      return new Response('', { status: answers.shift() ?? 200 })
    }) as typeof fetch
    const renew = vi.fn(async () => 'https://h.test/other')
    expect((await fetchLink(`https://h.test/plain-${++counter}`, { fetch: refusing, renew })).status).toBe(403)
    expect(renew).toHaveBeenCalledTimes(1)
    expect(requests.slice(1).map(({ url }) => url)).toEqual([`https://h.test/plain-${counter}`, 'https://h.test/other'])
  })

  test('a 400 for a link is a refusal: Google Cloud Storage answers so if it has expired', async () => {
    const send = (answers: number[]) => (async () => new Response('', { status: answers.shift() ?? 200 })) as unknown as typeof fetch
    const renew = vi.fn(() => make(HOUR))
    expect((await fetchLink(await make(HOUR), { fetch: send([400]), renew })).status).toBe(200)
    expect((await fetchLink('https://h.test/plain', { fetch: send([400]), renew })).status).toBe(400)
    expect(renew).toHaveBeenCalledTimes(1)
  })

  test.each([401, 404])('a %d for a link that has expired in the meantime is a refusal, and for other links it is not', async (status) => {
    const answering = (clock: number, headers = true) => {
      const answers = [status]
      return vi.fn(async () => {
        const date = headers ? { date: new Date(clock).toUTCString() } : {}
        return new Response('', { status: answers.shift() ?? 200, headers: date as Record<string, string> })
      })
    }
    const renew = vi.fn(() => make(HOUR))
    // By the server's clock: the clock of this machine is three hours behind, and there is no serverClock.
    const late = () => new Date(Date.now() - 3 * HOUR)
    let send = answering(Date.now())
    expect((await fetchLink(await make(-5000), { fetch: send, renew, now: late })).status).toBe(200)
    expect(renew).toHaveBeenCalledTimes(1)
    // The same with a serverClock.
    send = answering(Date.now())
    expect((await fetchLink(await make(-5000), { fetch: send, renew, clock: serverClock({ now: late }) })).status).toBe(200)
    expect(renew).toHaveBeenCalledTimes(2)
    // A response without a Date, and a link that expires while it is sent.
    let time = Date.now()
    send = answering(0, false)
    const expiring = await make(60_000)
    const slow: typeof fetch = async () => {
      time += 90_000
      return send()
    }
    expect((await fetchLink(expiring, { fetch: slow, renew, now: () => new Date(time) })).status).toBe(200)
    expect(renew).toHaveBeenCalledTimes(3)
    // A missing file, and URLs that are not links.
    for (const link of [await make(HOUR), `https://h.test/plain-${++counter}`, `https://h.test/x?s=${'0'.repeat(32)}`])
      expect((await fetchLink(link, { fetch: answering(Date.now()), renew })).status).toBe(status)
    expect(renew).toHaveBeenCalledTimes(3)
    // Only once, also if the new link is refused.
    const refusing = vi.fn(async () => new Response('', { status, headers: { date: new Date().toUTCString() } }))
    expect((await fetchLink(await make(-5000), { fetch: refusing, renew, now: late })).status).toBe(status)
    expect([renew.mock.calls.length, refusing.mock.calls.length]).toEqual([4, 2])
  })

  test.each([
    ['undefined', undefined],
    ['null', null],
    ['a Request', new Request('https://h.test/x')],
    ['a number', 5],
    ['an object', {}],
    ['an array', ['https://h.test/x']],
    ['a promise', Promise.resolve('https://h.test/x')],
  ])('%s is an error, and no request is sent', async (_name, odd) => {
    const send = vi.fn()
    const error = await fetchLink(odd as string, { fetch: send as typeof fetch, renew: () => make(HOUR) }).catch((error) => error)
    expect(error).toBeInstanceOf(LinkError)
    expect(error).toMatchObject({
      code: 'bad_option',
      option: 'link',
      message: 'link must be a string or a URL; await promises, and pass request.url',
    })
    expect(send).not.toHaveBeenCalled()
  })

  test.each(['renewal', 'Renew', 'renews', 'earlier', 'clocks', 'fetcher', 'schema'])(
    'the misspelt option %s is an error',
    async (name) => {
      const send = vi.fn()
      const error = await fetchLink(await make(HOUR), { fetch: send as typeof fetch, [name]: '5m' }).catch((error) => error)
      expect(error).toMatchObject({
        code: 'bad_option',
        option: name,
        message: `unknown option '${name}'; fetchLink() takes renew, early, fetch, scheme, clock, now`,
      })
      expect(send).not.toHaveBeenCalled()
    },
  )

  test('options of fetch are passed on, of browsers, undici, Bun, Deno, Cloudflare and Next.js', async () => {
    const { send, requests } = network()
    const names =
      'attributionReporting body browsingTopics cache cf client compress credentials decompress dispatcher duplex headers integrity keepalive method mode next priority privateToken proxy redirect referrer referrerPolicy sharedStorageWritable signal targetAddressSpace timeout tls unix verbose window'
    const init = Object.fromEntries(names.split(' ').map((name) => [name, undefined]))
    await fetchLink(await make(HOUR), { ...init, fetch: send })
    expect(Object.keys(requests[0]?.init ?? {})).toEqual(Object.keys(init))
  })

  test.each([
    ['renew', Promise.resolve('https://h.test/x'), 'renew must be a function that returns a new link'],
    ['early', 30, /^early must be a duration with its unit/],
    ['scheme', {}, /^scheme must be a scheme, such as hmac/],
    ['clock', { now: () => new Date() }, 'clock must be a clock, such as serverClock()'],
    ['now', new Date(), /^now must be a function that returns a Date/],
  ])('a wrong %s is an error, and no request is sent', async (option, wrong, message) => {
    const send = vi.fn()
    const error = await fetchLink(await make(HOUR), { fetch: send as typeof fetch, [option]: wrong }).catch((error) => error)
    expect(error).toBeInstanceOf(LinkError)
    expect(error).toMatchObject({ code: 'bad_option', option, message: expect.stringMatching(message) })
    expect(send).not.toHaveBeenCalled()
  })

  test('a renew that returns a Response is told to return its text', async () => {
    const renew = () => Promise.resolve(new Response('https://h.test/x') as unknown as string)
    const error = await fetchLink(await make(-1000), { fetch: network().send, renew }).catch((error) => error)
    expect(error).toMatchObject({ code: 'renewal_failed', option: 'renew' })
    expect(error.cause.message).toBe('renew must be a function that returns a link; of a Response, return response.text()')
  })

  test('500 renewals leave a map of at most 200 links', async () => {
    const set = vi.spyOn(Map.prototype, 'set')
    const olds: string[] = []
    for (let i = 0; i < 500; i++) {
      const old = await make(-5000)
      olds.push(old)
      await fetchLink(old, { renew: () => 'https://h.test/next', fetch: network().send })
    }
    const renewals = set.mock.contexts.find((_, i) => set.mock.calls[i]?.[0] === olds.at(-1)) as Map<string, unknown>
    set.mockRestore()
    expect(renewals.size).toBeLessThanOrEqual(200)
    expect(renewals.has(olds.at(-1) as string)).toBe(true)
  })

  test('while B is renewed, another caller of A, which was renewed before, causes no renewal', async () => {
    const { send } = network()
    const [a, b] = [await make(-5000), await make(-5000)]
    const renewA = vi.fn(() => make(HOUR))
    await fetchLink(a, { renew: renewA, fetch: send })
    let finish: (link: string) => void = () => undefined
    const pending = fetchLink(b, { renew: () => new Promise<string>((resolve) => (finish = resolve)), fetch: send })
    await fetchLink(a, { renew: renewA, fetch: send })
    expect(renewA).toHaveBeenCalledTimes(1)
    finish(await make(HOUR))
    await pending
    await fetchLink(a, { renew: renewA, fetch: send })
    expect(renewA).toHaveBeenCalledTimes(1)
  })

  test('a caller that is refused after A was renewed uses the new link of A, even with another renew', async () => {
    const late = () => new Date(Date.now() - 3 * HOUR)
    const { send } = network()
    const [a, b, next] = [await make(-5000), await make(-5000), await make(HOUR)]
    let answer: () => void = () => undefined
    const slow: typeof fetch = async (url, init) => {
      if (String(url) === a) await new Promise<void>((resolve) => (answer = resolve))
      return send(url, init)
    }
    const waiting = fetchLink(a, { renew: () => Promise.reject(new Error('mine')), fetch: slow, now: late })
    await fetchLink(a, { renew: () => next, fetch: send })
    let finish: (link: string) => void = () => undefined
    const pending = fetchLink(b, { renew: () => new Promise<string>((resolve) => (finish = resolve)), fetch: send })
    answer()
    expect((await waiting).ok).toBe(true)
    finish(await make(HOUR))
    await pending
  })

  test.each([
    ['early', '30s', 20_000, true],
    ['early', '30s', 40_000, false],
    ['early', '5m', 200_000, true],
    ['expired', undefined, -5000, true],
  ] as const)('%s %s: with %d ms left it is renewed: %s', async (_name, early, life, yes) => {
    const { send, requests } = network()
    const [old, next] = [await make(life), await make(HOUR)]
    const renew = vi.fn(() => next)
    await fetchLink(old, { renew, fetch: send, ...(early && { early }) })
    expect(requests.map(({ url }) => url)).toEqual([yes ? next : old])
    if (yes) expect(renew).toHaveBeenCalledWith(old, expect.any(AbortSignal))
  })

  test('50 callers of one expired link cause one renewal; later callers with the same renew cause none', async () => {
    const { send, requests } = network()
    const [old, next] = [await make(-5000), await make(HOUR)]
    const renew = vi.fn(() => new Promise<string>((resolve) => setTimeout(resolve, 20, next)))
    await Promise.all(Array.from({ length: 50 }, () => fetchLink(old, { renew: () => renew(), fetch: send })))
    expect(renew).toHaveBeenCalledTimes(1)
    expect(requests.map(({ url }) => url)).toEqual(Array(50).fill(next))
    await fetchLink(old, { renew, fetch: send })
    await fetchLink(old, { renew, fetch: send })
    expect(renew).toHaveBeenCalledTimes(2)
  })

  test('50 callers whose clock is behind learn by 410, at different times, and cause one renewal', async () => {
    const late = () => new Date(Date.now() - 3 * HOUR)
    const { send, requests } = network()
    const [old, next] = [await make(-5000), await make(HOUR)]
    const slow = (async (url, init) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 60))
      return send(url, init)
    }) as typeof fetch
    const renew = vi.fn(async () => next)
    const all = await Promise.all(Array.from({ length: 50 }, () => fetchLink(old, { renew: () => renew(), fetch: slow, now: late })))
    expect(all.every(({ ok }) => ok)).toBe(true)
    expect(renew).toHaveBeenCalledTimes(1)
    expect(requests).toHaveLength(100)
  })

  test('a renewal that fails has its error as the cause, and the next call tries again', async () => {
    const { send, requests } = network()
    const old = await make(-5000)
    const cause = new TypeError('no network')
    const failing = await fetchLink(old, { renew: () => Promise.reject(cause), fetch: send }).catch((error) => error)
    expect(failing).toMatchObject({ code: 'renewal_failed', cause })
    const thrown = await fetchLink(old, {
      renew: () => {
        throw cause
      },
      fetch: send,
    }).catch((error) => error)
    expect(thrown).toMatchObject({ code: 'renewal_failed', cause })
    const nothing = await fetchLink(old, { renew: () => '', fetch: send }).catch((error) => error)
    expect(nothing).toMatchObject({ code: 'renewal_failed', cause: { code: 'bad_option' } })
    expect(requests).toEqual([])
    expect((await fetchLink(old, { renew: () => make(HOUR), fetch: send })).ok).toBe(true)
  })

  test('abort: before, and during renewal for one caller while others go on', async () => {
    const { send, requests } = network()
    const [old, next] = [await make(-5000), await make(HOUR)]
    await expect(fetchLink(old, { fetch: send, renew: () => next, signal: AbortSignal.abort('early') })).rejects.toBe('early')
    let finish: (link: string) => void = () => undefined
    let asked: AbortSignal | undefined
    const renew = (_link: string, signal: AbortSignal) => {
      asked = signal
      return new Promise<string>((resolve) => (finish = resolve))
    }
    const controller = new AbortController()
    const one = fetchLink(old, { fetch: send, renew, signal: controller.signal })
    const other = fetchLink(old, { fetch: send, renew })
    controller.abort('mine')
    await expect(one).rejects.toBe('mine')
    expect(asked?.aborted).toBe(false)
    finish(next)
    expect((await other).ok).toBe(true)
    expect(requests).toHaveLength(1)
  })

  test('abort of the only caller aborts the renewal, and the next caller gets a new one', async () => {
    const { send } = network()
    const [old, next] = [await make(-5000), await make(HOUR)]
    const controller = new AbortController()
    let asked: AbortSignal | undefined
    const renew = (_link: string, signal: AbortSignal) => {
      asked = signal
      return new Promise<string>(() => undefined)
    }
    const one = fetchLink(old, { fetch: send, renew, signal: controller.signal })
    controller.abort('mine')
    await expect(one).rejects.toBe('mine')
    expect(asked?.aborted).toBe(true)
    expect((await fetchLink(old, { fetch: send, renew: () => next })).ok).toBe(true)
  })

  test('a stream is sent once', async () => {
    const send = vi.fn(async () => new Response('', { status: 403 })) as unknown as typeof fetch
    const renew = vi.fn(() => make(HOUR))
    const body = new ReadableStream()
    expect((await fetchLink(await make(HOUR), { fetch: send, renew, method: 'PUT', body })).status).toBe(403)
    expect(renew).not.toHaveBeenCalled()
  })

  // Node, Bun and Deno also take bodies that can be iterated once.
  test('an iterator is sent once, and other bodies twice', async () => {
    const sent: unknown[] = []
    const send = (async (_: string, { body }: RequestInit) => {
      sent.push(body)
      return new Response('', { status: 403 })
    }) as unknown as typeof fetch
    const renew = () => make(HOUR)
    async function* chunks() {
      yield new Uint8Array(1)
    }
    const once = chunks() as unknown as BodyInit
    expect((await fetchLink(await make(HOUR), { fetch: send, renew, method: 'PUT', body: once })).status).toBe(403)
    expect(sent).toEqual([once])
    for (const body of ['x', new Uint8Array(1), new Blob(['x']), new URLSearchParams({ a: '1' }), new FormData()]) {
      sent.length = 0
      await fetchLink(await make(HOUR), { fetch: send, renew, method: 'PUT', body })
      expect(sent).toEqual([body, body])
    }
  })

  test('a connection that breaks while the body of a refusal comes does not stop the renewal', async () => {
    const statuses = [403, 200]
    const broken = () => new ReadableStream({ start: (controller) => controller.error(new TypeError('terminated')) })
    const send = (async () => {
      const status = statuses.shift() as number
      return new Response(status === 403 ? broken() : 'ok', { status })
    }) as typeof fetch
    const response = await fetchLink(await make(HOUR), { fetch: send, renew: () => make(HOUR) })
    expect(await response.text()).toBe('ok')
  })

  test.each(['', 'undefined', 'null', '[object Promise]', `${{}}`])('the text of a missing value is an error: %j', async (text) => {
    const { send, requests } = network()
    const error = { code: 'bad_option', option: 'link', message: 'link must be a link, and not the text of a missing value' }
    await expect(fetchLink(text, { fetch: send })).rejects.toMatchObject(error)
    expect(requests).toEqual([])
    expect(() => freshLink(text, { renew: () => '' })).toThrow(expect.objectContaining(error))
    expect(() => keepFresh(document.createElement('img'), text, { renew: () => '' })).toThrow(expect.objectContaining(error))
  })

  test.each(['renew', 'early', 'clock', 'scheme', 'now', 'fetch'])('%s does not reach fetch', async (name) => {
    const { send, requests } = network()
    const options = {
      renew: () => make(HOUR),
      early: '1s',
      clock: serverClock(),
      scheme: hmac([]),
      now: () => new Date(),
      fetch: send,
    } as const
    await fetchLink(await make(HOUR), options)
    expect(requests[0]?.init).not.toHaveProperty(name)
  })

  test('without the option fetch it calls the fetch of the window', async () => {
    const { send, requests } = network()
    vi.stubGlobal('fetch', send)
    await fetchLink('https://h.test/x')
    vi.unstubAllGlobals()
    expect(requests).toHaveLength(1)
  })

  test.each([3, -3])('a clock that is wrong by %d hours works after one response', async (hours) => {
    const off = () => new Date(Date.now() + hours * HOUR)
    const clock = serverClock({ now: off })
    const { send, requests } = network()
    await fetchLink('https://h.test/anything', { clock, fetch: send })
    expect(Math.abs(clock.offset + hours * HOUR)).toBeLessThanOrEqual(1000)
    const renew = vi.fn(() => make(HOUR))
    expect((await fetchLink(await make(600_000), { clock, renew, fetch: send })).ok).toBe(true)
    expect((await fetchLink(await make(600_000), { clock, fetch: send })).ok).toBe(true)
    expect(renew).not.toHaveBeenCalled()
    const sent = requests.length
    await expect(fetchLink(await make(-5000), { clock, fetch: send })).rejects.toMatchObject({ code: 'expired_link' })
    expect(requests).toHaveLength(sent)
  })

  test('with a clock that is ahead and has learned nothing, a link from renew is sent all the same', async () => {
    const { send } = network()
    const clock = serverClock({ now: () => new Date(Date.now() + 3 * HOUR) })
    const renew = vi.fn(() => make(600_000))
    expect((await fetchLink(await make(600_000), { clock, renew, fetch: send })).ok).toBe(true)
    expect(renew).toHaveBeenCalledTimes(1)
    expect((await fetchLink(await make(600_000), { clock, renew, fetch: send })).ok).toBe(true)
    expect(renew).toHaveBeenCalledTimes(1)
  })
})

describe('serverClock', () => {
  test('unknown and wrong options are errors', () => {
    expect(() => serverClock({ max: '1d' } as object)).toThrow("unknown option 'max'; serverClock() takes most, changed, now")
    expect(() => serverClock({ most: 5 as unknown as '5s' })).toThrow(/^most must be a duration/)
  })
  test('a promise of a Response is an error', () => {
    const response = Promise.resolve(new Response('')) as unknown as Response
    expect(() => serverClock().learn(response)).toThrow('response must be a Response; await fetch() first')
  })

  const machine = 1_767_225_600_000
  const at = (ms: number, headers = {}) => new Response('', { headers: { date: new Date(machine + ms).toUTCString(), ...headers } })
  const make = (options = {}) => serverClock({ now: () => new Date(machine), ...options })

  test('shows the time of the machine until it learns', () => {
    const clock = make()
    expect([clock.offset, +clock.now()]).toEqual([0, machine])
    clock.learn(new Response(''))
    clock.learn(new Response('', { headers: { date: 'soon' } }))
    expect(clock.offset).toBe(0)
  })
  test('learns, and calls changed', () => {
    const changed = vi.fn()
    const clock = make({ changed })
    clock.learn(at(7 * 60_000))
    clock.learn(at(7 * 60_000))
    expect(clock.offset).toBe(421_000)
    expect(+clock.now()).toBe(machine + clock.offset)
    expect(changed.mock.calls).toEqual([[clock.offset]])
  })
  test('a response from a cache shows an old time, and does not turn the clock back; Age says how old it is', () => {
    const clock = make()
    clock.learn(at(HOUR))
    const { offset } = clock
    clock.learn(at(-5 * HOUR))
    expect(clock.offset).toBe(offset)
    clock.learn(at(-5 * HOUR, { age: `${8 * 3600}` }))
    expect(clock.offset).toBe(offset + 2 * HOUR)
  })
  test('a machine whose clock was corrected counts after eight responses', () => {
    const clock = make()
    clock.learn(at(HOUR))
    for (let i = 0; i < 8; i++) clock.learn(at(0))
    expect(clock.offset).toBeLessThanOrEqual(1000)
  })
  test('corrects by no more than `most`', () => {
    const clock = make()
    clock.learn(at(400 * 24 * HOUR))
    expect(clock.offset).toBe(24 * HOUR)
    const small = make({ most: '1m' })
    small.learn(at(-HOUR))
    expect(small.offset).toBe(-60_000)
  })
})

describe('keepFresh', () => {
  test('needs an element and renew', () => {
    const renew = () => 'https://h.test/x'
    expect(() => keepFresh(document.createElement('p') as unknown as HTMLImageElement, 'https://h.test/x', { renew })).toThrow(LinkError)
    expect(() => keepFresh(document.createElement('img'), 'https://h.test/x', {} as { renew: typeof renew })).toThrow(LinkError)
    expect(() => keepFresh(document.createElement('img'), 'https://h.test/x', { renew, early: '5' as '5s' })).toThrow(LinkError)
  })

  test('the link of an <a> is renewed in time, again and again, until the element leaves the page', async () => {
    const element = document.createElement('a')
    document.body.append(element)
    const renew = vi.fn(() => make(3000))
    const first = await make(3000)
    keepFresh(element, first, { renew, early: '2.5s' })
    expect(element.href).toBe(first)
    await vi.waitFor(() => expect(renew).toHaveBeenCalledTimes(2), 8000)
    expect(element.href).not.toBe(first)
    element.remove()
    await new Promise((resolve) => setTimeout(resolve, 2500))
    expect(renew.mock.calls.length).toBeLessThanOrEqual(3)
  }, 20_000)
})
