// fetchLink, expiresIn and serverClock with what a window has; the network is a function that keeps a list.
import { describe, expect, test, vi } from 'vitest'
import { expiresIn, fetchLink, keepFresh, serverClock } from '../../src/client.ts'
import { hmac, LinkError, sign } from '../../src/index.ts'

const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
const HOUR = 3_600_000
let counter = 0
/** A link that nobody has seen: what is renewed is remembered by its text. */
const make = (life: number, now = Date.now()) =>
  sign(links, `https://h.test/${++counter}`, { expires: new Date(now + life) }, { now: () => new Date(Math.min(now, now + life - 1000)) })

/** A network whose server has a clock of its own. */
function network(clock = () => Date.now()) {
  const requests: { url: string; init: RequestInit | undefined }[] = []
  const send = async (url: string | URL | Request, init?: RequestInit) => {
    requests.push({ url: String(url), init })
    const dead = (expiresIn(String(url), { now: () => new Date(clock()) }) ?? 1) <= 0
    return new Response('body', { status: dead ? 410 : 200, headers: { date: new Date(clock()).toUTCString() } })
  }
  return { send: send as typeof fetch, requests }
}

describe('expiresIn', () => {
  const now = () => new Date(1_767_225_600_000)
  test('counts in milliseconds, and is negative for the dead', () => {
    const link = (expires: number) => `https://h.test/x?expires=${expires}&signature=${'0'.repeat(64)}`
    expect(expiresIn(link(1_767_225_660), { now })).toBe(60_000)
    expect(expiresIn(new URL(link(1_767_225_540)), { now })).toBe(-60_000)
  })
  test('is undefined for what does not tell', () => {
    expect(expiresIn('https://h.test/x')).toBeUndefined()
    expect(expiresIn(`https://h.test/x?s=${'0'.repeat(32)}`)).toBeUndefined()
    expect(expiresIn('')).toBeUndefined()
  })
  test('reads with a scheme, too', () => {
    const scheme = hmac([], { parameters: { expires: 'e', signature: 's' } })
    const link = `https://h.test/x?e=1767225660&s=${'A'.repeat(43)}`
    expect(expiresIn(link, { now, scheme })).toBe(60_000)
    expect(expiresIn(link, { now })).toBeUndefined()
  })
  test('of two readings takes the first to die', () => {
    const link = `https://h.test/?token=exp=1767225660~acl=/*~hmac=${'0'.repeat(64)}`
    expect(expiresIn(link, { now })).toBe(60_000)
  })
})

describe('fetchLink', () => {
  test('sends a good link as it is, with the init', async () => {
    const { send, requests } = network()
    const link = await make(HOUR)
    const renew = vi.fn()
    const response = await fetchLink(link, { renew, fetch: send, method: 'POST', body: 'x', headers: { a: 'b' } })
    expect(response.status).toBe(200)
    expect(requests).toEqual([{ url: link, init: { method: 'POST', body: 'x', headers: { a: 'b' } } }])
    expect(renew).not.toHaveBeenCalled()
  })

  test('a dead link without renew is an error, and no request', async () => {
    const { send, requests } = network()
    const error = await fetchLink(await make(-1000), { fetch: send }).catch((error) => error)
    expect(error).toBeInstanceOf(LinkError)
    expect(error).toMatchObject({ code: 'expired_link' })
    expect(requests).toEqual([])
  })

  test('what is no link is fetched, and refusals of it are answered with one renewal', async () => {
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

  test('a 400 is a refusal when it answers a link: Google Cloud Storage has it for expired ones', async () => {
    const send = (answers: number[]) => (async () => new Response('', { status: answers.shift() ?? 200 })) as unknown as typeof fetch
    const renew = vi.fn(() => make(HOUR))
    expect((await fetchLink(await make(HOUR), { fetch: send([400]), renew })).status).toBe(200)
    expect((await fetchLink('https://h.test/plain', { fetch: send([400]), renew })).status).toBe(400)
    expect(renew).toHaveBeenCalledTimes(1)
  })

  test.each([401, 404])('a %d to a link that has expired meanwhile is a refusal; to others it is what it says', async (status) => {
    const answering = (clock: number, headers = true) => {
      const answers = [status]
      return vi.fn(async () => {
        const date = headers ? { date: new Date(clock).toUTCString() } : {}
        return new Response('', { status: answers.shift() ?? 200, headers: date as Record<string, string> })
      })
    }
    const renew = vi.fn(() => make(HOUR))
    // By the server's clock: this machine is three hours late, and has no serverClock.
    const late = () => new Date(Date.now() - 3 * HOUR)
    let send = answering(Date.now())
    expect((await fetchLink(await make(-5000), { fetch: send, renew, now: late })).status).toBe(200)
    expect(renew).toHaveBeenCalledTimes(1)
    // The same with one.
    send = answering(Date.now())
    expect((await fetchLink(await make(-5000), { fetch: send, renew, clock: serverClock({ now: late }) })).status).toBe(200)
    expect(renew).toHaveBeenCalledTimes(2)
    // A response that shows no clock, and a link that expires on the way.
    let time = Date.now()
    send = answering(0, false)
    const dying = await make(60_000)
    const slow: typeof fetch = async () => {
      time += 90_000
      return send()
    }
    expect((await fetchLink(dying, { fetch: slow, renew, now: () => new Date(time) })).status).toBe(200)
    expect(renew).toHaveBeenCalledTimes(3)
    // A file that is missing, and what is no link.
    for (const link of [await make(HOUR), `https://h.test/plain-${++counter}`, `https://h.test/x?s=${'0'.repeat(32)}`])
      expect((await fetchLink(link, { fetch: answering(Date.now()), renew })).status).toBe(status)
    expect(renew).toHaveBeenCalledTimes(3)
    // Once, also when the new link is refused, too.
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
    ['an object that claims to be a URL', { href: 'https://h.test/x', toString: () => 'https://h.test/x' }],
  ])('%s is an error, and no request', async (_name, odd) => {
    const send = vi.fn()
    const error = await fetchLink(odd as string, { fetch: send as typeof fetch, renew: () => make(HOUR) }).catch((error) => error)
    expect(error).toBeInstanceOf(LinkError)
    expect(error).toMatchObject({ code: 'bad_option', message: expect.stringMatching(/^link must be/) })
    expect(send).not.toHaveBeenCalled()
  })

  test('500 renewals leave a map of at most 200 links', async () => {
    const set = vi.spyOn(Map.prototype, 'set')
    const olds: string[] = []
    for (let i = 0; i < 500; i++) {
      const old = await make(-5000)
      olds.push(old)
      await fetchLink(old, { renew: () => 'https://h.test/next', fetch: network().send })
    }
    const flights = set.mock.contexts.find((_, i) => set.mock.calls[i]?.[0] === olds.at(-1)) as Map<string, unknown>
    set.mockRestore()
    expect(flights.size).toBeLessThanOrEqual(200)
    expect(flights.has(olds.at(-1) as string)).toBe(true)
  })

  test('A has landed and B flies: another caller of A causes no renewal', async () => {
    const { send } = network()
    const [a, b] = [await make(-5000), await make(-5000)]
    const renewA = vi.fn(() => make(HOUR))
    await fetchLink(a, { renew: renewA, fetch: send })
    let land: (link: string) => void = () => undefined
    const flying = fetchLink(b, { renew: () => new Promise<string>((resolve) => (land = resolve)), fetch: send })
    await fetchLink(a, { renew: renewA, fetch: send })
    expect(renewA).toHaveBeenCalledTimes(1)
    land(await make(HOUR))
    await flying
    await fetchLink(a, { renew: renewA, fetch: send })
    expect(renewA).toHaveBeenCalledTimes(1)
  })

  test('a caller whose refusal comes after A has landed, while B flies, takes the link of A, whatever its own renew', async () => {
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
    let land: (link: string) => void = () => undefined
    const flying = fetchLink(b, { renew: () => new Promise<string>((resolve) => (land = resolve)), fetch: send })
    answer()
    expect((await waiting).ok).toBe(true)
    land(await make(HOUR))
    await flying
  })

  test.each([
    ['early', '30s', 20_000, true],
    ['early', '30s', 40_000, false],
    ['early', '5m', 200_000, true],
    ['dead', undefined, -5000, true],
  ] as const)('%s %s: with %d ms left it is renewed: %s', async (_name, early, life, yes) => {
    const { send, requests } = network()
    const [old, next] = [await make(life), await make(HOUR)]
    const renew = vi.fn(() => next)
    await fetchLink(old, { renew, fetch: send, ...(early && { early }) })
    expect(requests.map(({ url }) => url)).toEqual([yes ? next : old])
    if (yes) expect(renew).toHaveBeenCalledWith(old, expect.any(AbortSignal))
  })

  test('50 callers of one dying link cause one renewal; those who come later with the same renew, none', async () => {
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

  test('50 callers whose clock is late learn by 410, at different times, and cause one renewal', async () => {
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

  test('a renewal that fails gives its error as the cause, and the next call asks again', async () => {
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
    let land: (link: string) => void = () => undefined
    let asked: AbortSignal | undefined
    const renew = (_link: string, signal: AbortSignal) => {
      asked = signal
      return new Promise<string>((resolve) => (land = resolve))
    }
    const controller = new AbortController()
    const one = fetchLink(old, { fetch: send, renew, signal: controller.signal })
    const other = fetchLink(old, { fetch: send, renew })
    controller.abort('mine')
    await expect(one).rejects.toBe('mine')
    expect(asked?.aborted).toBe(false)
    land(next)
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

  test('without a fetch it takes that of the window', async () => {
    const { send, requests } = network()
    vi.stubGlobal('fetch', send)
    await fetchLink('https://h.test/x')
    vi.unstubAllGlobals()
    expect(requests).toHaveLength(1)
  })

  test.each([3, -3])('a clock that is %d hours off works once one response was seen', async (hours) => {
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

  test('a clock that is ahead and has seen nothing: a link fresh from renew is sent all the same', async () => {
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
  const machine = 1_767_225_600_000
  const at = (ms: number, headers = {}) => new Response('', { headers: { date: new Date(machine + ms).toUTCString(), ...headers } })
  const make = (options = {}) => serverClock({ now: () => new Date(machine), ...options })

  test('is the machine until it learns', () => {
    const clock = make()
    expect([clock.offset, +clock.now()]).toEqual([0, machine])
    clock.learn(new Response(''))
    clock.learn(new Response('', { headers: { date: 'soon' } }))
    expect(clock.offset).toBe(0)
  })
  test('learns, and tells', () => {
    const changed = vi.fn()
    const clock = make({ changed })
    clock.learn(at(7 * 60_000))
    clock.learn(at(7 * 60_000))
    expect(clock.offset).toBe(421_000)
    expect(+clock.now()).toBe(machine + clock.offset)
    expect(changed.mock.calls).toEqual([[clock.offset]])
  })
  test('a cached response, which tells an old time, does not turn it back; Age tells how old', () => {
    const clock = make()
    clock.learn(at(HOUR))
    const { offset } = clock
    clock.learn(at(-5 * HOUR))
    expect(clock.offset).toBe(offset)
    clock.learn(at(-5 * HOUR, { age: `${8 * 3600}` }))
    expect(clock.offset).toBe(offset + 2 * HOUR)
  })
  test('a machine whose clock was set right is believed after eight responses', () => {
    const clock = make()
    clock.learn(at(HOUR))
    for (let i = 0; i < 8; i++) clock.learn(at(0))
    expect(clock.offset).toBeLessThanOrEqual(1000)
  })
  test('is capped', () => {
    const clock = make()
    clock.learn(at(400 * 24 * HOUR))
    expect(clock.offset).toBe(24 * HOUR)
    const small = make({ most: '1m' })
    small.learn(at(-HOUR))
    expect(small.offset).toBe(-60_000)
  })
})

describe('keepFresh', () => {
  test('asks for an element and for renew', () => {
    const renew = () => 'https://h.test/x'
    expect(() => keepFresh(document.createElement('p') as unknown as HTMLImageElement, 'https://h.test/x', { renew })).toThrow(LinkError)
    expect(() => keepFresh(document.createElement('img'), 'https://h.test/x', {} as { renew: typeof renew })).toThrow(LinkError)
    expect(() => keepFresh(document.createElement('img'), 'https://h.test/x', { renew, early: '5' as '5s' })).toThrow(LinkError)
  })

  test('a link of an a is renewed in time, again and again, and no more when it has left the page', async () => {
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
