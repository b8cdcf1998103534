// freshLink, freshLinks and cacheKey with a fake clock: how often `renew` is called, and which links are answered.
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  cacheKey,
  expiresIn,
  type FreshLink,
  type FreshLinkOptions,
  type FreshLinksOptions,
  fetchLink,
  freshLink,
  freshLinks,
  serverClock,
} from '../../src/client.ts'
import { hmac, LinkError, sign } from '../../src/index.ts'
import { bunny } from '../../src/schemes/bunny.ts'
import { s3 } from '../../src/schemes/s3.ts'

const START = 1_767_225_600_000
const SIGNATURE = 'A'.repeat(43)
const secret = '0123456789abcdef0123456789abcdef'
const MINUTE = 60_000
let counter = 0

/** A link that expires so many seconds from now. Each has a file of its own, because renewals are remembered by the text of the link. */
const make = (seconds: number, now = Date.now()) =>
  `https://h.test/${++counter}.jpg?expires=${Math.round(now / 1000) + seconds}&signature=${SIGNATURE}`
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const codeOf = (error: unknown) => (error instanceof LinkError ? error.code : (error as Error).name)

beforeEach(() => void vi.useFakeTimers({ now: START }))
afterEach(() => void vi.useRealTimers())

describe('freshLink', () => {
  test('a link with enough time is answered as it is', async () => {
    const renew = vi.fn()
    const first = make(31)
    const link = freshLink(new URL(first), { renew })
    expect(await link.get()).toBe(first)
    expect(link.peek()).toBe(first)
    expect(renew).not.toHaveBeenCalled()
  })

  test.each([
    ['30s', 30],
    ['30s', -5],
    ['5m', 299],
  ] as const)('with early %s, a link with %d seconds is renewed', async (early, seconds) => {
    const [first, next] = [make(seconds), make(3600)]
    const renew = vi.fn(() => next)
    const link = freshLink(first, { renew, early })
    expect(link.peek()).toBe(first)
    expect(await link.get()).toBe(next)
    expect(link.peek()).toBe(next)
    expect(renew.mock.calls).toEqual([[first, expect.any(AbortSignal)]])
  })

  test('a hundred callers share one renewal, and the next one renews the new link', async () => {
    const [first, second, third] = [make(-5), make(60), make(3600)]
    const answers = [second, third]
    const renew = vi.fn(async (_old: string) => answers.shift() as string)
    const link = freshLink(first, { renew })
    expect(new Set(await Promise.all(Array.from({ length: 100 }, () => link.get())))).toEqual(new Set([second]))
    expect(renew).toHaveBeenCalledTimes(1)
    await pass(31_000)
    expect(await link.get()).toBe(third)
    expect(renew.mock.calls.map(([old]) => old)).toEqual([first, second])
  })

  test('a link of less than twice early is renewed after half of its time', async () => {
    const renew = vi.fn(() => make(20))
    const link = freshLink(make(-5), { renew })
    const next = await link.get()
    await pass(9_900)
    expect(await link.get()).toBe(next)
    await pass(200)
    expect(await link.get()).not.toBe(next)
  })

  test('a link that does not show its expiry is renewed when it is refused', async () => {
    const renew = vi.fn(() => `https://h.test/other-${++counter}`)
    const link = freshLink(`https://h.test/plain-${++counter}`, { renew })
    await pass(86_400_000)
    await link.get()
    expect(renew).not.toHaveBeenCalled()
    expect(link.refused(new Response('', { status: 403 }))).toBe(true)
    expect(await link.get()).toContain('other')
    expect(renew).toHaveBeenCalledTimes(1)
  })

  test('a new link that has expired by this clock is kept until the server refuses it', async () => {
    const renew = vi.fn(() => make(-3600))
    const link = freshLink(make(-5), { renew })
    const next = await link.get()
    expect([await link.get(), await link.get()]).toEqual([next, next])
    expect(renew).toHaveBeenCalledTimes(1)
    link.refused(new Response('', { status: 410 }))
    expect(await link.get()).not.toBe(next)
  })

  test('a link that expires while it is on its way is renewed again, at most three times', async () => {
    let slow = true
    const renew = vi.fn(async () => {
      const next = make(60)
      if (slow) await new Promise((resolve) => setTimeout(resolve, 2 * MINUTE))
      return next
    })
    const link = freshLink(make(-5), { renew })
    const failing = link.get().catch(codeOf)
    await pass(10 * MINUTE)
    expect(await failing).toBe('renewal_failed')
    expect(renew).toHaveBeenCalledTimes(3)
    slow = false
    expect(expiresIn(await link.get())).toBe(MINUTE)
  })

  test('with serverClock, the time of the server counts', async () => {
    const clock = serverClock()
    const renew = vi.fn(() => make(3600, Date.now() + 3 * 3_600_000))
    const first = make(3600)
    const link = freshLink(first, { renew, clock })
    expect(await link.get()).toBe(first)
    // The server is three hours ahead of this machine, and a missing file tells so.
    const date = new Date(Date.now() + 3 * 3_600_000).toUTCString()
    link.refused(new Response('', { status: 500, headers: { date } }))
    const next = await link.get()
    expect(expiresIn(next, { clock })).toBeGreaterThan(3_598_000)
    expect(renew).toHaveBeenCalledTimes(1)
  })
})

describe('refused', () => {
  const statuses = (link: FreshLink, sent?: string) =>
    [200, 304, 400, 401, 403, 404, 410, 416, 500].filter((status) => link.refused({ status }, sent))

  test('a 400, 403 and 410 are refusals of a valid link, a 401 and 404 of an expired one only', async () => {
    const renew = () => make(3600)
    expect(statuses(freshLink(make(600), { renew }))).toEqual([400, 403, 410])
    expect(statuses(freshLink(make(-600), { renew }))).toEqual([400, 401, 403, 404, 410])
    expect(statuses(freshLink(`https://h.test/plain-${++counter}`, { renew }))).toEqual([403, 410])
  })

  test('a 404 for a valid link causes no renewal', async () => {
    const renew = vi.fn()
    const link = freshLink(make(600), { renew })
    expect(link.refused(new Response('', { status: 404 }))).toBe(false)
    await link.get()
    expect(renew).not.toHaveBeenCalled()
  })

  test('ten refusals of one link cause one renewal, and a late one does not renew the new link', async () => {
    const renew = vi.fn(() => make(3600))
    const link = freshLink(make(600), { renew })
    const old = await link.get()
    for (let i = 0; i < 10; i++) link.refused(new Response('', { status: 403 }), old)
    const next = await link.get()
    expect(link.refused(new Response('', { status: 403 }), new URL(old))).toBe(true)
    expect(await link.get()).toBe(next)
    expect(renew).toHaveBeenCalledTimes(1)
  })

  test('a server that refuses every new link gets 8 renewals in the first two minutes, and then two a minute', async () => {
    const renew = vi.fn(() => make(3600))
    const link = freshLink(make(3600), { renew })
    const attempt = async () => {
      await link.get().catch(() => undefined)
      link.refused({ status: 403 }, link.peek())
    }
    for (let i = 0; i < 120; i++) {
      await attempt()
      await pass(1000)
    }
    expect(renew.mock.calls.length).toBeLessThanOrEqual(9)
    const before = renew.mock.calls.length
    for (let i = 0; i < 120; i++) {
      await attempt()
      await pass(1000)
    }
    expect(renew.mock.calls.length - before).toBeLessThanOrEqual(5)
  })

  test.each([undefined, {}, Promise.resolve(new Response('')), 403])('%s in place of a response is an error', (wrong) => {
    const link = freshLink(make(600), { renew: () => make(600) })
    expect(() => link.refused(wrong as Response)).toThrow(/^response must be a Response/)
  })
})

describe('failures', () => {
  test('a renewal that fails rejects its callers, and the next call tries again at once', async () => {
    const cause = new TypeError('no network')
    const answers = [Promise.reject(cause), make(3600)]
    const renew = vi.fn(async () => answers.shift() as Promise<string>)
    const link = freshLink(make(-5), { renew })
    const errors = await Promise.all([1, 2, 3].map(() => link.get().catch((error) => error)))
    for (const error of errors) expect(error).toMatchObject({ code: 'renewal_failed', option: 'renew', cause })
    expect(renew).toHaveBeenCalledTimes(1)
    expect(expiresIn(await link.get())).toBe(3600 * 1000)
  })

  test('after several failures in a row, calls are rejected during a pause of 1, 2, 4, 8, 16, 30, 30 … seconds', async () => {
    const times: number[] = []
    const renew = vi.fn(() => {
      times.push(Date.now())
      throw new Error('no')
    })
    const link = freshLink(make(-5), { renew })
    for (let i = 0; i < 300; i++) {
      expect(await link.get().catch(codeOf)).toBe('renewal_failed')
      await pass(500)
    }
    const gaps = times.slice(1).map((time, i) => time - (times[i] as number))
    expect(gaps).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  })

  test('a renewal that succeeds ends the pauses', async () => {
    let works = false
    const renew = vi.fn(() => (works ? make(60) : ''))
    const link = freshLink(make(-5), { renew })
    for (let i = 0; i < 3; i++) {
      await link.get().catch(() => undefined)
      await pass(1000)
    }
    works = true
    await pass(2000)
    await link.get()
    works = false
    await pass(MINUTE)
    renew.mockClear()
    for (let i = 0; i < 2; i++) await link.get().catch(() => undefined)
    expect(renew).toHaveBeenCalledTimes(2)
  })
})

describe('signals and stop', () => {
  /** A renewal that the test ends. */
  const pending = () => {
    const finish: ((link: string) => void)[] = []
    const signals: AbortSignal[] = []
    const renew = vi.fn((_old: string, signal: AbortSignal) => {
      signals.push(signal)
      return new Promise<string>((resolve) => finish.push(resolve))
    })
    return { renew, finish, signals }
  }

  test('one caller leaves, and the others get the link', async () => {
    const { renew, finish, signals } = pending()
    const link = freshLink(make(-5), { renew })
    const controller = new AbortController()
    const one = link.get({ signal: controller.signal })
    const other = link.get()
    controller.abort('mine')
    await expect(one).rejects.toBe('mine')
    expect(signals[0]?.aborted).toBe(false)
    const next = make(3600)
    finish[0]?.(next)
    expect(await other).toBe(next)
    await expect(link.get({ signal: AbortSignal.abort('early') })).rejects.toBe('early')
  })

  test('the last caller leaves, the renewal is aborted, and the next one starts another; that is not a failure', async () => {
    const { renew, finish, signals } = pending()
    const link = freshLink(make(-5), { renew })
    for (let i = 0; i < 4; i++) {
      const controller = new AbortController()
      const one = link.get({ signal: controller.signal })
      controller.abort('mine')
      await expect(one).rejects.toBe('mine')
      expect(signals[i]?.aborted).toBe(true)
    }
    const last = link.get()
    const next = make(3600)
    finish[4]?.(next)
    expect(await last).toBe(next)
  })

  test.each(['stop()', 'the option signal'])('%s rejects all callers, aborts the renewal, and leaves no timer', async (by) => {
    const { renew, signals } = pending()
    const controller = new AbortController()
    const link = freshLink(make(-5), { renew, signal: controller.signal })
    const waiting = [link.get(), link.get()].map((each) => each.catch(codeOf))
    if (by === 'stop()') link.stop()
    else controller.abort()
    expect(await Promise.all(waiting)).toEqual(['AbortError', 'AbortError'])
    expect(await link.get().catch(codeOf)).toBe('AbortError')
    expect([signals[0]?.aborted, vi.getTimerCount(), renew.mock.calls.length]).toEqual([true, 0, 1])
  })
})

test('in any order of calls, refusals, failures and time, a link is valid for early, and no link has two renewals at once', async () => {
  const EARLY = 30_000
  const action = fc.oneof(
    { weight: 6, arbitrary: fc.constant({ type: 'get' } as const) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('abort' as const), which: fc.nat(5) }) },
    {
      weight: 5,
      arbitrary: fc.record({ type: fc.constant('settle' as const), which: fc.nat(3), fails: fc.nat(3), early: fc.boolean() }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('refused' as const), status: fc.constantFrom(403, 404, 410), late: fc.boolean() }),
    },
    { weight: 5, arbitrary: fc.record({ type: fc.constant('pass' as const), seconds: fc.constantFrom(1, 5, 20, 45, 90, 400) }) },
  )
  let answered = 0
  const broken: string[] = []
  const run = async (first: number, life: number, actions: readonly (typeof action extends fc.Arbitrary<infer T> ? T : never)[]) => {
    const running = new Map<string, AbortSignal>()
    const renewals: { made: string; finish(link: string): void; fail(error: Error): void }[] = []
    const renew = (old: string, signal: AbortSignal) => {
      if (running.get(old)?.aborted === false) broken.push('two renewals at once')
      running.set(old, signal)
      return new Promise<string>((resolve, reject) => {
        renewals.push({ made: make(life), finish: resolve, fail: reject })
      }).finally(() => running.get(old) === signal && running.delete(old))
    }
    const link = freshLink(make(first), { renew })
    const callers: AbortController[] = []
    let stopped = false
    let last = link.peek()
    for (const step of actions) {
      if (step.type === 'get') {
        const controller = new AbortController()
        callers.push(controller)
        link.get({ signal: controller.signal }).then(
          (fresh) => {
            answered++
            last = fresh
            const left = expiresIn(fresh) ?? 0
            if (left < EARLY || stopped) broken.push(`answered with ${left} ms left${stopped ? ', after the end' : ''}`)
          },
          (error) => {
            if (!['renewal_failed', 'AbortError'].includes(codeOf(error))) broken.push(`rejected with ${error}`)
          },
        )
      } else if (step.type === 'settle') {
        const [renewal] = renewals.splice(step.which % Math.max(1, renewals.length), 1)
        // A link that was made when it was asked for may have become old on its way.
        if (step.fails > 0) renewal?.finish(step.early ? renewal.made : make(life))
        else renewal?.fail(new Error('no'))
      } else if (step.type === 'abort') callers[step.which]?.abort()
      else if (step.type === 'refused') link.refused({ status: step.status }, step.late ? last : link.peek())
      else await pass(step.seconds * 1000)
      await pass(0)
    }
    stopped = true
    link.stop()
    for (const { made, finish } of renewals) finish(made)
    await pass(0)
    expect(broken).toEqual([])
  }
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: -100, max: 100 }),
      fc.integer({ min: 61, max: 600 }),
      fc.array(action, { minLength: 10, maxLength: 60, size: 'max' }),
      run,
    ),
    { numRuns: 150 },
  )
  expect(answered).toBeGreaterThan(300)
})

describe('freshLinks', () => {
  test('a hundred links that have expired cause one call of renew, in order', async () => {
    const olds = Array.from({ length: 100 }, () => make(-5))
    const renew = vi.fn(async (links: string[], _signal: AbortSignal) =>
      links.map((link) => link.replace(/expires=\d+/, 'expires=1767229200')),
    )
    const links = freshLinks({ renew })
    const all = Promise.all(olds.map((old) => links.get(old)))
    await pass(10)
    expect((await all).map((link) => link.split('?')[0])).toEqual(olds.map((link) => link.split('?')[0]))
    expect(renew.mock.calls).toEqual([[olds, expect.any(AbortSignal)]])
    // Old and new links are the same link.
    const [first = ''] = olds
    expect(links.of(links.of(first).peek())).toBe(links.of(first))
    await Promise.all([...olds, ...(await all)].map((link) => links.get(link)))
    expect(renew).toHaveBeenCalledTimes(1)
  })

  test('timers that fire a few milliseconds apart are one batch, and later ones are another', async () => {
    const renew = vi.fn((links: string[]) => links.map(() => make(3600)))
    const links = freshLinks({ renew })
    for (let ms = 0; ms < 8; ms += 2) setTimeout(() => void links.get(make(-5)), ms)
    setTimeout(() => void links.get(make(-5)), 30)
    await pass(100)
    expect(renew.mock.calls.map(([list]) => list.length)).toEqual([4, 1])
  })

  test('450 links are three calls', async () => {
    const renew = vi.fn((links: string[]) => links.map(() => make(3600)))
    const links = freshLinks({ renew })
    const all = Promise.all(Array.from({ length: 450 }, () => links.get(make(-5))))
    await pass(10)
    await all
    expect(renew.mock.calls.map(([list]) => list.length)).toEqual([200, 200, 50])
  })

  test('a link that is not renewed rejects its own callers only', async () => {
    const reason = new Error('revoked')
    const renew = (links: string[]) => links.map((_, i) => [make(3600), reason, undefined, null, new URL(make(3600)), ''][i])
    const links = freshLinks({ renew } as FreshLinksOptions)
    const all = Promise.all(Array.from({ length: 6 }, () => links.get(make(-5)).catch((error) => error)))
    await pass(10)
    const answers = await all
    expect(answers.map((answer) => (typeof answer === 'string' ? 'link' : codeOf(answer)))).toEqual([
      'link',
      'renewal_failed',
      'renewal_failed',
      'renewal_failed',
      'link',
      'renewal_failed',
    ])
    expect(answers[1].cause).toBe(reason)
  })

  test.each([
    ['a list of another length', () => [make(3600)]],
    ['a text', () => make(3600)],
    ['nothing', () => undefined],
    [
      'an error',
      () => {
        throw new Error('no network')
      },
    ],
  ])('%s rejects all', async (_name, renew) => {
    const links = freshLinks({ renew: renew as unknown as () => string[] })
    const all = Promise.all([1, 2].map(() => links.get(make(-5)).catch(codeOf)))
    await pass(10)
    expect(await all).toEqual(['renewal_failed', 'renewal_failed'])
  })

  test('the batch is aborted when the last caller has left, and links without a caller are not asked for', async () => {
    const signals: AbortSignal[] = []
    const renew = vi.fn((_links: string[], signal: AbortSignal) => {
      signals.push(signal)
      return new Promise<string[]>(() => undefined)
    })
    const links = freshLinks({ renew })
    const controllers = [1, 2, 3].map(() => new AbortController())
    const olds = controllers.map(() => make(-5))
    const waiting = olds.map((old, i) => links.get(old, { signal: controllers[i]?.signal }).catch(codeOf))
    controllers[0]?.abort()
    await pass(10)
    expect(renew.mock.calls[0]?.[0]).toEqual(olds.slice(1))
    controllers[1]?.abort()
    expect(signals[0]?.aborted).toBe(false)
    controllers[2]?.abort()
    expect(signals[0]?.aborted).toBe(true)
    expect(await Promise.all(waiting)).toEqual(['AbortError', 'AbortError', 'AbortError'])
  })

  test('stop() ends all, and so does the option signal', async () => {
    const renew = vi.fn((links: string[]) => links)
    const controller = new AbortController()
    for (const [links, end] of [
      [freshLinks({ renew }), undefined],
      [freshLinks({ renew, signal: controller.signal }), controller],
    ] as const) {
      const waiting = [links.get(make(-5)), links.get(make(-5))].map((each) => each.catch(codeOf))
      if (end) end.abort()
      else links.stop()
      expect(await Promise.all(waiting)).toEqual(['AbortError', 'AbortError'])
      await pass(10)
    }
    expect(await freshLinks({ renew, signal: controller.signal }).get(make(-5)).catch(codeOf)).toBe('AbortError')
    expect(renew).not.toHaveBeenCalled()
  })

  test('links.renew puts fetchLink into the batch', async () => {
    const renew = vi.fn((links: string[]) => links.map(() => make(3600)))
    const links = freshLinks({ renew })
    const send = (async () => new Response('')) as typeof fetch
    const all = Promise.all(Array.from({ length: 20 }, () => fetchLink(make(-5), { renew: links.renew, fetch: send })))
    await pass(10)
    await all
    expect(renew).toHaveBeenCalledTimes(1)
  })

  test('a thousand links are remembered, and no more', async () => {
    const set = vi.spyOn(Map.prototype, 'set')
    const links = freshLinks({ renew: (list) => list })
    for (let i = 0; i < 1500; i++) links.of(`https://h.test/${i}`)
    const [last] = set.mock.calls.at(-1) ?? []
    const known = set.mock.contexts.find((map) => (map as Map<string, FreshLink>).get(last as string)?.peek) as Map<string, FreshLink>
    set.mockRestore()
    expect(known.size).toBe(1000)
  })
})

describe('under', () => {
  const now = () => new Date(Date.now())
  const base = 'https://cdn.test/videos/7/'
  const inPath = hmac({ secret }, { placement: 'path' })
  const inQuery = hmac({ secret })
  const folder = (scheme: typeof inQuery, life: `${number}s`) =>
    sign(scheme, `${base}index.m3u8`, { expires: life, prefix: '/videos/7/' }, { now })

  test.each([
    ['query', inQuery],
    ['path', inPath],
  ])('after a pause in which the token in the %s expired, one renewal serves 300 segments', async (_name, scheme) => {
    const renew = vi.fn((links: string[]) => Promise.all(links.map(() => folder(scheme, '600s'))))
    const first = await folder(scheme, '60s')
    const video = freshLinks({ renew }).under(first)
    const { verify } = await import('../../src/index.ts')
    const valid = async (url: string) => (await verify(scheme, url, { now })).claims?.resource
    const segment = async (i: number) => valid(await video.get(`${base}720p/${i}.ts`))
    expect(await segment(0)).toBe(`${base}720p/0.ts`)
    await pass(3_600_000)
    const all = Promise.all(Array.from({ length: 300 }, (_, i) => segment(i)))
    await pass(10)
    expect(await all).toEqual(Array.from({ length: 300 }, (_, i) => `${base}720p/${i}.ts`))
    expect(renew.mock.calls).toEqual([[[first], expect.any(AbortSignal)]])
    // A player resolves relative URLs against the link of the playlist, with an old token in its path.
    expect(await valid(await video.get(new URL('a%20b.ts#t=1', first).href).then((url) => url.replace('#t=1', '')))).toBe(`${base}a%20b.ts`)
    expect(await valid(await video.get('audio/1.aac'))).toBe(`${base}audio/1.aac`)
    expect(await valid(video.peek('../7/2.ts'))).toBe(`${base}2.ts`)
  })

  test('URLs outside of the folder come back as they are, without a token and without a renewal', async () => {
    const renew = vi.fn((links: string[]) => links)
    const video = freshLinks({ renew }).under(await folder(inQuery, '1s'))
    for (const url of [
      'https://other.test/videos/7/1.ts',
      'http://cdn.test/videos/7/1.ts',
      '//other.test/videos/7/1.ts',
      'https://cdn.test/videos/77/1.ts',
      'https://cdn.test/videos/7',
      '../8/1.ts',
      `${base}%2e%2e/8/1.ts`,
      '\\\\other.test\\videos\\7\\1.ts',
      'data:text/plain,x',
      'https://[',
      `/expires=1,signature=${SIGNATURE}//`,
      'https://cdn.test@other.test/videos/7/1.ts',
    ])
      expect([await video.get(url), video.peek(url), video.refused({ status: 403 }, url)]).toEqual([url, url, false])
    expect(renew).not.toHaveBeenCalled()
  })

  test('a segment with a query keeps it, and so does a link that is a path', async () => {
    const link = (path: string) => `${path}?token=${'A'.repeat(22)}&expires=1900000000&token_path=%2Fvideos%2F7%2F`
    const video = freshLinks({ renew: (links) => links }).under(link('/videos/7/index.m3u8'))
    expect(await video.get('1.ts?quality=high')).toBe(
      `/videos/7/1.ts?quality=high&token=${'A'.repeat(22)}&expires=1900000000&token_path=%2Fvideos%2F7%2F`,
    )
    const whole = freshLinks({ renew: (links) => links }).under(
      link('https://cdn.test/videos/7/index.m3u8?a=1&a=1'.replace('?a=1&a=1', '')),
    )
    expect(await whole.get('/videos/7/1.ts')).toBe(link('https://cdn.test/videos/7/1.ts'))
  })

  test('links of bunny with their token in the path, by recognise and by the scheme', async () => {
    const scheme = bunny({ secret }, { placement: 'path' })
    const link = await sign(scheme, `${base}index.m3u8`, { expires: '600s', prefix: '/videos/7/' }, { now })
    for (const options of [{}, { scheme }]) {
      const video = freshLinks({ renew: (links) => links, ...options }).under(link)
      expect(await video.get('1.ts')).toBe(link.replace('index.m3u8', '1.ts'))
      expect(cacheKey(link, options)).toBe(`${base}index.m3u8`)
    }
  })

  test('a refusal of a segment renews the token once, and a late one does not renew it again', async () => {
    const renew = vi.fn((links: string[]) => Promise.all(links.map((_, i) => folder(inQuery, `${700 + i}s`))))
    const video = freshLinks({ renew }).under(await folder(inQuery, '600s'))
    const segments = await Promise.all(['1.ts', '2.ts'].map((name) => video.get(name)))
    expect(video.refused({ status: 404 }, segments[0])).toBe(false)
    for (const segment of segments) expect(video.refused({ status: 403 }, segment)).toBe(true)
    const again = video.get('1.ts')
    await pass(10)
    expect(await again).not.toBe(segments[0])
    expect(video.refused({ status: 403 }, segments[1])).toBe(true)
    await video.get('2.ts')
    expect(renew).toHaveBeenCalledTimes(1)
    // Without the URL, or with a URL without a token, the present token was refused.
    expect(video.refused({ status: 403 })).toBe(true)
    const third = video.get('1.ts').catch(codeOf)
    await pass(10)
    expect(await third).toBe('renewal_failed')
    await pass(2000)
    const fourth = video.get('1.ts')
    await pass(10)
    await fourth
    expect(renew).toHaveBeenCalledTimes(2)
  })

  test('a link without a prefix is an error', () => {
    const links = freshLinks({ renew: (list) => list })
    expect(() => links.under(make(600))).toThrow('link must be a link that opens a folder: sign it with a prefix')
    expect(() => links.under('https://h.test/')).toThrow(LinkError)
  })
})

describe('cacheKey', () => {
  const resource = 'https://h.test/a%20b.jpg?width=80&page=2'
  test.each([
    ['hmac', hmac({ secret })],
    ['hmac in the path', hmac({ secret }, { placement: 'path' })],
    ['s3', s3({ id: 'AKIAIOSFODNN7EXAMPLE', secret }, { region: 'eu-central-1' })],
  ])('is the same for two links of %s', async (_name, scheme) => {
    const keys = new Set<string>()
    for (const time of [START, START + 86_400_000])
      keys.add(cacheKey(await sign(scheme, resource, { expires: '10m' }, { now: () => new Date(time) })))
    expect([...keys]).toEqual([resource])
  })
  test('is the text for anything else, without its fragment', () => {
    expect(cacheKey('https://h.test/x?y#top')).toBe('https://h.test/x?y')
    expect(cacheKey(new URL('https://h.test/x'))).toBe('https://h.test/x')
    expect(cacheKey('no link')).toBe('no link')
  })
  test('reads by a scheme', () => {
    const scheme = hmac([], { parameters: { expires: 'e', signature: 's' } })
    const link = `https://h.test/x?e=1767225660&s=${SIGNATURE}`
    expect([cacheKey(link, { scheme }), cacheKey(link)]).toEqual(['https://h.test/x', link])
  })
})

describe('wrong arguments', () => {
  const renew = () => make(60)
  test.each([
    [() => freshLink(undefined as unknown as string, { renew }), 'link', /^link must be a string or a URL/],
    [() => freshLink(make(60), undefined as unknown as FreshLinkOptions), 'renew', 'renew must be a function that returns a new link'],
    [() => freshLink(make(60), { renew, early: '30' as '30s' }), 'early', /^early must be a duration with its unit/],
    [
      () => freshLink(make(60), { renew, clocks: 1 } as FreshLinkOptions),
      'clocks',
      /^unknown option 'clocks'; freshLink\(\) takes renew, early,/,
    ],
    [() => freshLink(make(60), { renew, clock: {} } as unknown as FreshLinkOptions), 'clock', /^clock must be a clock/],
    [() => freshLinks(undefined as unknown as FreshLinksOptions), 'renew', 'renew must be a function that returns a list of new links'],
    [() => freshLinks({ renew: (list) => list, early: 5 as unknown as '5s' }), 'early', /^early must be/],
    [
      () => freshLinks({ renew: (list) => list, batch: 5 } as FreshLinksOptions),
      'batch',
      /^unknown option 'batch'; freshLinks\(\) takes renew,/,
    ],
    [() => cacheKey(undefined as unknown as string), 'link', /^link must be/],
    [() => cacheKey('/x', { clock: serverClock() } as object), 'clock', /^unknown option 'clock'; cacheKey\(\) takes scheme$/],
  ])('%#', (call, option, message) => {
    let error: unknown
    try {
      call()
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(LinkError)
    expect(error).toMatchObject({ code: 'bad_option', option, message: expect.stringMatching(message) })
  })
})
