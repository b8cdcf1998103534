// keepFresh without a browser: which elements it takes, when it renews, and what it writes. The clock is a fake.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { freshLinks, type Keepable, type KeepFreshOptions, keepFresh } from '../../src/client.ts'
import { LinkError } from '../../src/index.ts'

const START = 1_767_225_600_000
let counter = 0
/** A new link that expires this many seconds from now. */
const link = (seconds: number, now = Date.now()) =>
  `https://h.test/${++counter}?expires=${Math.round(now / 1000) + seconds}&signature=${'A'.repeat(43)}`
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

function add<K extends keyof HTMLElementTagNameMap>(name: K, parent: Element = document.body): HTMLElementTagNameMap[K] {
  const element = document.createElement(name)
  parent.append(element)
  return element
}

/** A medium whose state the test sets. */
function medium(name: 'video' | 'audio' = 'video', parent: Element = document.body) {
  const element = add(name, parent)
  const state = { paused: true, readyState: 0, networkState: 1, error: null as MediaError | null, currentTime: 0, playbackRate: 1 }
  for (const key of Object.keys(state) as (keyof typeof state)[])
    Object.defineProperty(element, key, {
      configurable: true,
      get: () => state[key],
      set: (value) => {
        ;(state as Record<string, unknown>)[key] = value
      },
    })
  const play = vi.fn(async () => {
    state.paused = false
    element.dispatchEvent(new Event('play'))
  })
  const load = vi.fn()
  Object.assign(element, { play, load })
  return { element, state, play, load }
}

let hidden = false
const show = (visible: boolean) => {
  hidden = !visible
  document.dispatchEvent(new Event('visibilitychange'))
}

/** The observers that were made, and a way to tell the last one whether its image is on the screen. */
const screens: { callback: IntersectionObserverCallback; disconnected: boolean }[] = []
class Screen {
  readonly #own: (typeof screens)[number]
  constructor(callback: IntersectionObserverCallback) {
    this.#own = { callback, disconnected: false }
    screens.push(this.#own)
  }
  observe(): void {
    /* The test calls the callback. */
  }
  disconnect(): void {
    this.#own.disconnected = true
  }
}
const onScreen = (...states: boolean[]) =>
  screens
    .at(-1)
    ?.callback(states.map((isIntersecting) => ({ isIntersecting })) as IntersectionObserverEntry[], {} as unknown as IntersectionObserver)

const stops: (() => void)[] = []
const keep = (element: Keepable, first: string, options: KeepFreshOptions) => {
  const stop = keepFresh(element, first, options)
  stops.push(stop)
  return stop
}

beforeEach(() => {
  vi.useFakeTimers({ now: START })
  hidden = false
  screens.length = 0
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (hidden ? 'hidden' : 'visible') })
  vi.stubGlobal('IntersectionObserver', Screen)
})
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
  document.body.replaceChildren()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

describe('arguments', () => {
  const options = { renew: () => link(60) }
  test.each(['p', 'iframe', 'script', 'link'])('not a <%s>', (name) => {
    expect(() => keepFresh(document.createElement(name) as Keepable, 'https://h.test/x', options)).toThrow(LinkError)
  })
  test('null, as querySelector() returns it, is refused', () =>
    expect(() => keepFresh(null as unknown as Keepable, 'https://h.test/x', options)).toThrow(
      'element must be an img, video, audio, a or source; querySelector() returns null if there is none',
    ))
  test('not the link first', () =>
    expect(() => keepFresh('https://h.test/x' as unknown as Keepable, 'https://h.test/x', options)).toThrow(/^element must be an img/))
  test('a promise of a link and an unknown option are refused', () => {
    const link = Promise.resolve('https://h.test/x') as unknown as string
    expect(() => keepFresh(add('a'), link, options)).toThrow(/^link must be a string or a URL/)
    expect(() => keepFresh(add('a'), 'https://h.test/x', { ...options, onRenewed: () => undefined } as KeepFreshOptions)).toThrow(
      "unknown option 'onRenewed'; keepFresh() takes renew, early, renewed, failed, scheme, clock, now",
    )
  })
  test('renew is required, and early needs a unit', () => {
    expect(() => keepFresh(add('a'), 'https://h.test/x', {} as KeepFreshOptions)).toThrow(/^renew must be/)
    expect(() => keepFresh(add('a'), 'https://h.test/x', { ...options, early: '5' as '5s' })).toThrow(LinkError)
  })

  test.each(['javascript:alert(1)', ' java\nscript:alert(1)', 'data:text/html,x', 'blob:https://h.test/1', 'file:///x', 'https://['])(
    'not %j as the link of an <a>',
    (first) => {
      const element = add('a')
      expect(() => keepFresh(element, first, options)).toThrow(/^link must be/)
      expect(element.hasAttribute('href')).toBe(false)
    },
  )
  test.each(['/x', 'x?y', '//h.test/x', 'http://h.test/x', new URL('https://h.test/x')])('but %s', (first) => {
    const element = add('a')
    stops.push(keepFresh(element, first, options))
    expect(element.getAttribute('href')).toBe(String(first))
  })
  test('a blob: address for a picture', () => {
    const element = add('img')
    keep(element, 'blob:https://h.test/1', options)
    expect(element.getAttribute('src')).toBe('blob:https://h.test/1')
  })

  test('an image with srcset is refused', () => {
    const element = add('img')
    element.setAttribute('srcset', '/a.jpg 1x, /b.jpg 2x')
    expect(() => keepFresh(element, 'https://h.test/x', options)).toThrow(/^element must be without several candidates/)
  })
  test('no source of a picture with several candidates, but one with a single candidate', () => {
    const picture = add('picture')
    const source = add('source', picture)
    source.setAttribute('srcset', '/a.jpg 1x, /b.jpg 2x')
    expect(() => keepFresh(source, 'https://h.test/x', options)).toThrow(/^element must be without several candidates/)
    source.setAttribute('srcset', ' /a.jpg ')
    keep(source, 'https://h.test/x', options)
    expect(source.getAttribute('srcset')).toBe('https://h.test/x')
  })
  test('the image of a picture only after its sources, and not after one of them has ended', () => {
    const picture = add('picture')
    const source = add('source', picture)
    const image = add('img', picture)
    expect(() => keepFresh(image, 'https://h.test/x', options)).toThrow(/^element must be without several candidates/)
    const stop = keep(source, 'https://h.test/s', options)
    keep(image, 'https://h.test/x', options)
    expect([source.getAttribute('srcset'), image.getAttribute('src')]).toEqual(['https://h.test/s', 'https://h.test/x'])
    stop()
    expect(() => keepFresh(image, 'https://h.test/x', options)).toThrow(/^element must be without several candidates/)
  })
})

describe('renewals', () => {
  test('in time, again and again, each with a call of renewed', async () => {
    const element = add('a')
    const renew = vi.fn(() => link(60))
    const told: string[] = []
    const first = link(60)
    keep(element, first, { renew, early: '10s', renewed: (next) => told.push(`${next === element.href}`) })
    await pass(49_000)
    expect(element.href).toBe(first)
    await pass(2000)
    expect(renew).toHaveBeenCalledTimes(1)
    await pass(51_000)
    expect(renew).toHaveBeenCalledTimes(2)
    expect(told).toEqual(['true', 'true'])
  })

  test('a link that has expired when it comes is renewed, and not shown before', async () => {
    const element = add('a')
    const renew = vi.fn(() => link(60))
    keep(element, link(-5), { renew })
    expect(element.hasAttribute('href')).toBe(false)
    await pass(1)
    expect(renew).toHaveBeenCalledTimes(1)
    expect(element.href).toContain('https://h.test/')
  })

  test('a link that does not show its expiry is not renewed until loading fails', async () => {
    const element = add('img')
    const renew = vi.fn(() => 'https://h.test/other')
    keep(element, 'https://h.test/plain', { renew })
    onScreen(true)
    await pass(86_400_000)
    expect(renew).not.toHaveBeenCalled()
    element.dispatchEvent(new Event('error'))
    await pass(1)
    expect(element.src).toBe('https://h.test/other')
  })

  test('a new link that has expired by this clock is shown, and not renewed by the clock', async () => {
    const element = add('a')
    const renew = vi.fn(() => link(-3600))
    keep(element, link(31), { renew })
    await pass(86_400_000)
    expect(renew).toHaveBeenCalledTimes(1)
    expect(element.href).toContain('https://h.test/')
  })

  test('a link of a year waits for a year', async () => {
    const element = add('a')
    const renew = vi.fn(() => link(60))
    keep(element, link(365 * 86_400), { renew })
    await pass(2 ** 31)
    expect(renew).not.toHaveBeenCalled()
    await pass(365 * 86_400_000 - 2 ** 31)
    expect(renew).toHaveBeenCalled()
  })

  test.each(['javascript:alert(1)', '\tJavaScript:alert(1)', 'data:text/html,<script>', 'blob:https://h.test/1'])(
    '%j from renew does not get into an href, and failed is called',
    async (bad) => {
      const element = add('a')
      const answers = [bad, link(3600)]
      const renew = vi.fn(() => answers.shift() ?? '')
      const failed = vi.fn()
      const renewed = vi.fn()
      const first = link(31)
      keep(element, first, { renew, failed, renewed })
      await pass(15_500)
      expect(element.getAttribute('href')).toBe(first)
      expect(failed.mock.calls.map(([error]) => error.code)).toEqual(['renewal_failed'])
      expect(renewed).not.toHaveBeenCalled()
      // The next try gets another one.
      await pass(10_000)
      expect(renew).toHaveBeenCalledTimes(2)
      expect(element.href).toContain('https://h.test/')
    },
  )

  test('one that fails is tried again five times with growing pauses, and when the page becomes visible', async () => {
    const element = add('a')
    const times: number[] = []
    const failed = vi.fn()
    const renew = vi.fn(() => {
      times.push(Date.now())
      throw new Error('no')
    })
    keep(element, link(31), { renew, failed })
    await pass(1_000_000)
    // The first one comes at once.
    const gaps = times.slice(1).map((time, i) => Math.floor((time - (times[i] ?? 0)) / 1000) * 1000)
    expect(gaps).toEqual([0, 4000, 8000, 16_000, 32_000])
    expect(failed).toHaveBeenCalledTimes(6)
    show(false)
    await pass(10)
    show(true)
    await pass(10)
    expect(times.length).toBeGreaterThan(6)
  })

  test('two errors of loading during a renewal cause no other renewal', async () => {
    const element = add('img')
    const renew = vi.fn(() => new Promise<string>((resolve) => setTimeout(resolve, 500, link(60))))
    keep(element, link(600), { renew })
    onScreen(true)
    element.dispatchEvent(new Event('error'))
    await pass(100)
    element.dispatchEvent(new Event('error'))
    await pass(1000)
    expect(renew).toHaveBeenCalledTimes(1)
  })
})

describe('with freshLinks', () => {
  test('a hundred pictures whose links expire cause one call of renew, also those that fail to load', async () => {
    const renew = vi.fn((links: string[]) => links.map(() => link(600)))
    const { renew: together } = freshLinks({ renew })
    const pictures = Array.from({ length: 100 }, () => add('img'))
    for (const [i, picture] of pictures.entries()) {
      keep(picture, link(i < 50 ? 60 : 600), { renew: together })
      onScreen(true)
      await pass(0.1)
    }
    // Half of them expire, and the others are refused at the same time.
    await pass(29_000)
    for (const picture of pictures.slice(50)) setTimeout(() => picture.dispatchEvent(new Event('error')), Date.now() % 1000)
    await pass(2000)
    expect(renew.mock.calls.map(([list]) => list.length).reduce((sum, length) => sum + length)).toBe(100)
    expect(renew.mock.calls.length).toBeLessThanOrEqual(2)
    for (const picture of pictures) expect(picture.src).toContain('https://h.test/')
  })

  test('pictures that expired while the page was hidden are one call when it is visible', async () => {
    const renew = vi.fn((links: string[]) => links.map(() => link(600)))
    const { renew: together } = freshLinks({ renew })
    for (let i = 0; i < 100; i++) keep(add('a'), link(60), { renew: together })
    show(false)
    await pass(600_000)
    show(true)
    await pass(20)
    expect(renew.mock.calls.map(([list]) => list.length)).toEqual([100])
  })
})

describe('out of sight', () => {
  test('a hidden page waits until it is visible', async () => {
    const element = add('a')
    const renew = vi.fn(() => link(600))
    keep(element, link(60), { renew })
    show(false)
    await pass(120_000)
    expect(renew).not.toHaveBeenCalled()
    show(true)
    await pass(1)
    expect(renew).toHaveBeenCalledTimes(1)
  })

  test('a hidden page that plays does not wait', async () => {
    const { element, play } = medium()
    const renew = vi.fn(() => link(600))
    keep(element, link(60), { renew })
    await play()
    show(false)
    await pass(60_000)
    expect(renew).toHaveBeenCalledTimes(1)
  })

  test('an image off the screen waits, also if loading failed', async () => {
    const element = add('img')
    const renew = vi.fn(() => link(3600))
    keep(element, link(60), { renew })
    await pass(120_000)
    element.dispatchEvent(new Event('error'))
    await pass(1000)
    expect(renew).not.toHaveBeenCalled()
    onScreen(true, false)
    await pass(1000)
    expect(renew).not.toHaveBeenCalled()
    onScreen(false, true)
    await pass(1000)
    expect(renew).toHaveBeenCalledTimes(1)
    onScreen()
    element.remove()
    await pass(10)
    expect(screens.at(-1)?.disconnected).toBe(true)
  })

  test('without IntersectionObserver an image is always on the screen', async () => {
    vi.stubGlobal('IntersectionObserver', undefined)
    const element = add('img')
    const renew = vi.fn(() => link(3600))
    keep(element, link(60), { renew })
    await pass(60_000)
    expect(renew).toHaveBeenCalledTimes(1)
  })
})

describe('media', () => {
  test('go on at their position and speed', async () => {
    const { element, state, play } = medium()
    keep(element, link(60), { renew: () => link(600) })
    await play()
    Object.assign(state, { readyState: 4, currentTime: 7, playbackRate: 2 })
    await pass(31_000)
    Object.assign(state, { paused: true, currentTime: 0, playbackRate: 1 })
    element.dispatchEvent(new Event('loadedmetadata'))
    expect([state.currentTime, state.playbackRate, state.paused]).toEqual([7, 2, false])
  })

  test('play on when the browser paused them because of an error, and only then', async () => {
    const { element, state, play } = medium()
    keep(element, link(600), { renew: () => link(600) })
    await play()
    // Chromium pauses first, and then sends the events.
    Object.assign(state, { readyState: 2, currentTime: 7, paused: true, networkState: 3, error: { code: 2 } })
    element.dispatchEvent(new Event('pause'))
    element.dispatchEvent(new Event('error'))
    element.dispatchEvent(new Event('pause'))
    await pass(10)
    Object.assign(state, { error: null, networkState: 2 })
    play.mockClear()
    element.dispatchEvent(new Event('loadedmetadata'))
    expect(play).toHaveBeenCalledTimes(1)

    // The visitor pauses, and then loading fails.
    state.paused = true
    element.dispatchEvent(new Event('pause'))
    Object.assign(state, { networkState: 3, error: { code: 2 } })
    element.dispatchEvent(new Event('error'))
    await pass(10_000)
    Object.assign(state, { error: null, networkState: 2 })
    play.mockClear()
    element.dispatchEvent(new Event('loadedmetadata'))
    expect(play).not.toHaveBeenCalled()
  })

  test('paused while the new link loads, they stay paused; if the browser forbids to play, nothing is thrown', async () => {
    const { element, state, play } = medium('audio')
    state.paused = false
    keep(element, link(60), { renew: () => link(600) })
    state.readyState = 4
    await pass(31_000)
    element.dispatchEvent(new Event('pause'))
    element.dispatchEvent(new Event('loadedmetadata'))
    expect(play).not.toHaveBeenCalled()
    await play()
    play.mockImplementationOnce(() => Promise.reject(new Error('forbidden')))
    await pass(600_000)
    element.dispatchEvent(new Event('loadedmetadata'))
    await pass(1)
    expect(play).toHaveBeenCalled()
  })

  test('a <source> makes its medium load again at its position; its error counts', async () => {
    const { element, state, load } = medium()
    const source = add('source', element)
    keep(source, link(60), { renew: () => link(600) })
    Object.assign(state, { readyState: 4, currentTime: 5 })
    load.mockClear()
    source.dispatchEvent(new Event('error'))
    await pass(10)
    expect(load).toHaveBeenCalledTimes(1)
    // A second new link before the first has loaded: the position from before counts.
    state.currentTime = 0
    element.dispatchEvent(new Event('error'))
    await pass(10_000)
    expect(load).toHaveBeenCalledTimes(2)
    element.dispatchEvent(new Event('loadedmetadata'))
    expect(state.currentTime).toBe(5)
  })

  test('a <source> of a type that the browser does not play is renewed in time, and not because of its error', async () => {
    const { element, load } = medium()
    Object.assign(element, { canPlayType: (type: string) => (type === 'video/mp4' ? 'maybe' : '') })
    const [odd, good] = [add('source', element), add('source', element)]
    odd.type = 'video/x-odd'
    good.type = 'video/mp4'
    const renew = vi.fn(() => link(600))
    for (const source of [odd, good]) keep(source, link(60), { renew })
    load.mockClear()
    odd.dispatchEvent(new Event('error'))
    await pass(10)
    expect([renew.mock.calls.length, load.mock.calls.length]).toEqual([0, 0])
    good.dispatchEvent(new Event('error'))
    await pass(10)
    expect([renew.mock.calls.length, load.mock.calls.length]).toEqual([1, 1])
    await pass(31_000)
    expect(renew).toHaveBeenCalledTimes(2)
  })

  test('a new link of a <source> does not interrupt a medium that plays another one', async () => {
    const { element, state, load } = medium()
    const [first, second] = [add('source', element), add('source', element)]
    const renew = vi.fn(() => link(600))
    keep(first, link(60), { renew })
    keep(second, link(120), { renew })
    Object.assign(state, { readyState: 4, currentTime: 5 })
    Object.defineProperty(element, 'currentSrc', { configurable: true, get: () => second.src })
    load.mockClear()
    await pass(31_000)
    expect([renew.mock.calls.length, load.mock.calls.length]).toEqual([1, 0])
    // The one that plays loads again, at the position of that time.
    state.currentTime = 65
    await pass(60_000)
    expect([renew.mock.calls.length, load.mock.calls.length]).toEqual([2, 1])
    state.currentTime = 0
    element.dispatchEvent(new Event('loadedmetadata'))
    expect(state.currentTime).toBe(65)
  })

  test('a <source> of a picture waits until its image is on the screen, and reacts to its errors', async () => {
    const picture = add('picture')
    const source = add('source', picture)
    const image = add('img', picture)
    const renew = vi.fn(() => link(600))
    keep(source, link(60), { renew })
    await pass(60_000)
    expect(renew).not.toHaveBeenCalled()
    onScreen(true)
    await pass(1)
    image.dispatchEvent(new Event('error'))
    await pass(1)
    expect(renew).toHaveBeenCalledTimes(2)
    image.dispatchEvent(new Event('load'))
    expect(source.getAttribute('srcset')).toContain('https://h.test/')
  })

  test('a <source> without a parent', async () => {
    const source = document.createElement('source')
    keep(source, link(60), { renew: () => link(600) })
    await pass(60_000)
    expect(source.getAttribute('src')).toContain('https://h.test/')
  })
})

describe('the end', () => {
  test('by the returned function: no timer is left, and a pending renewal is aborted', async () => {
    const element = add('a')
    const first = link(31)
    let signal: AbortSignal | undefined
    const renew = (_: string, own: AbortSignal) => {
      signal = own
      return new Promise<string>(() => undefined)
    }
    const failed = vi.fn()
    const stop = keep(element, first, { renew, failed })
    await pass(15_600)
    stop()
    await pass(1)
    expect(signal?.aborted).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
    expect([element.href, failed.mock.calls.length]).toEqual([first, 0])
  })

  test('a renewal that comes after the end is not shown', async () => {
    const element = add('a')
    const first = link(31)
    // Another element waits for the same link, so the renewal is not aborted.
    const renew = () => new Promise<string>((resolve) => setTimeout(resolve, 1000, link(600)))
    const stop = keep(element, first, { renew })
    const other = add('a')
    keep(other, first, { renew })
    await pass(15_600)
    stop()
    await pass(2000)
    expect([element.href === first, other.href === first]).toEqual([true, false])
  })

  test('when the element leaves the page; a move is not the end', async () => {
    const [here, there] = [add('div'), add('div')]
    const element = add('a', here)
    keep(element, link(60), { renew: () => link(600) })
    there.append(element)
    await pass(1)
    expect(vi.getTimerCount()).toBe(1)
    element.remove()
    await pass(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('in a shadow tree, and for an element that is added to the page later', async () => {
    const host = add('div')
    const shadow = host.attachShadow({ mode: 'open' })
    const element = document.createElement('a')
    keep(element, link(60), { renew: () => link(600) })
    await pass(1)
    expect(vi.getTimerCount()).toBe(1)
    shadow.append(element)
    host.append(document.createElement('p'))
    add('p')
    await pass(1)
    shadow.replaceChildren()
    await pass(1)
    expect(vi.getTimerCount()).toBe(0)
  })
})
