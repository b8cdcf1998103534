// docs/guide/players.md: its code plays a real film with the real players, and the film goes on after a pause in which all links expire.
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { hmac } from '../../src/index.ts'
import { signManifest } from '../../src/media.ts'
import { init, manifest, movie, playlist, shortSegments } from './segments.ts'
import { anHourPasses, bundle, fence, hasChromium, inChromium, type Site, startSite } from './site.ts'

const SEGMENTS = 300
const SEGMENTS_OF_TRAILER = 60
const VIDEO = '<video id="v" muted></video>'
const FOLDER = '/files/film/'

const links = hmac({ secret: '0123456789abcdef0123456789abcdef' })
let site: Site
let page: Page

beforeAll(async () => {
  if (!hasChromium) return
  site = await startSite()
  const add = (name: string, body: string | Uint8Array, type = 'video/mp4') => site.files.set(`${FOLDER}${name}`, { body, type })
  add('init.mp4', init())
  add('movie.mp4', movie())
  add('index.m3u8', playlist(SEGMENTS), 'application/vnd.apple.mpegurl')
  add('trailer.m3u8', playlist(SEGMENTS_OF_TRAILER), 'application/vnd.apple.mpegurl')
  for (const [i, segment] of shortSegments(SEGMENTS).entries()) add(`short-${i}.m4s`, segment)
}, 120_000)
afterEach(() => page?.close())
afterAll(() => site?.close())

const script = (heading: string, index = 0) =>
  bundle(`export { play } from './play.ts'`, { './play.ts': fence('players.md', heading, index) })

/** The segments that the server gave, without repetitions, and how many tokens their requests had. */
function loaded(pattern: RegExp): { segments: number; tokens: number } {
  const given = site.seen.filter(({ path, status }) => pattern.test(path) && status < 300)
  const tokenOf = ({ url }: { url: string }) => /signature=[\w-]+/.exec(url)?.[0]
  return { segments: new Set(given.map(({ path }) => path.split('/').pop())).size, tokens: new Set(given.map(tokenOf)).size }
}

const until = (condition: string) => page.waitForFunction(condition, undefined, { timeout: 60_000, polling: 50 })
/** Waits until the player has loaded as much as it wants to have in its buffer. */
async function noMoreRequests(): Promise<void> {
  for (let before = -1; before < site.seen.length; ) {
    before = site.seen.length
    await page.waitForTimeout(500)
  }
}

/** Plays on to the end, fast once all is loaded: players skip segments if they have to wait at a high speed. */
async function playsFast(): Promise<void> {
  await until('video.buffered.end(video.buffered.length - 1) > video.duration - 0.3')
  await page.evaluate('video.playbackRate = 16')
  await until('video.ended')
}

describe.skipIf(!hasChromium)(inChromium, () => {
  /** Plays a film of short segments with hls.js, and pauses it once it has loaded enough. */
  async function playAndPause(heading: string, list: string, placement: { placement?: 'path' } = {}): Promise<void> {
    page = await site.open(VIDEO, await script(heading))
    const link = await site.link(`${FOLDER}${list}`, { prefix: FOLDER, ...placement })
    await page.evaluate(`{
      window.errors = []
      window.video = document.getElementById('v')
      window.hls = recipe.play(video, '${link}')
      // hls.js loads no more than this ahead, so there is something left to load after the pause.
      hls.config.maxBufferLength = hls.config.maxMaxBufferLength = 4
      hls.on('hlsError', (_, { fatal, details }) => fatal && errors.push(details))
      hls.on('hlsManifestParsed', () => video.play())
    }`)
    await until('video.currentTime > 0.2')
    await page.evaluate('video.pause()')
    await noMoreRequests()
    expect(site.renewals()).toEqual([])
  }

  /** Plays on to the end: all segments were loaded, with the token from before the pause and the one from after it. */
  async function playsToTheEnd(segments: number): Promise<void> {
    expect(loaded(/short-/).segments).toBeLessThan(segments)
    await page.evaluate('{ hls.config.maxBufferLength = hls.config.maxMaxBufferLength = 100; video.play() }')
    await playsFast()
    expect(await page.evaluate('errors')).toEqual([])
    expect(loaded(/short-/)).toEqual({ segments, tokens: 2 })
    expect(site.renewals().map(({ links, status }) => [links, status])).toEqual([[1, 200]])
  }

  test('hls.js plays 300 segments through a pause in which all links expire, with one renewal', async () => {
    await playAndPause('hls.js', 'index.m3u8')
    await anHourPasses(site, page)
    await playsToTheEnd(SEGMENTS)
    expect(site.refused()).toEqual([])
    expect(site.complaints).toEqual([])
  }, 120_000)

  test('hls.js plays on with a new token in the path', async () => {
    await playAndPause('hls.js', 'trailer.m3u8', { placement: 'path' })
    await anHourPasses(site, page)
    await playsToTheEnd(SEGMENTS_OF_TRAILER)
    expect(site.refused()).toEqual([])
    expect(site.complaints).toEqual([])
  }, 120_000)

  test('the loader for hls.js renews a link that the server refuses, although the page takes it for valid', async () => {
    await playAndPause('With a loader', 'trailer.m3u8')
    // The clock of the page stands still.
    site.ahead += 3_600_000
    await playsToTheEnd(SEGMENTS_OF_TRAILER)
    expect(site.refused().map(({ status }) => status)).toEqual([410])
    // The browser reports the response, and nothing else complains.
    expect(site.complaints).toEqual([expect.stringContaining('410')])
  }, 120_000)

  describe.each(['shaka-player', 'dash.js'])('%s', (heading) => {
    test('plays a manifest of signManifest, and goes on with a new token after its links have expired', async () => {
      const base = `${site.origin}${FOLDER}index.mpd`
      // The manifest, too, is behind the guard, and its URLs have tokens of their own.
      const signed = await signManifest(links, manifest(SEGMENTS_OF_TRAILER), { base, expires: '10m', prefix: FOLDER })
      expect(signed).toMatch(/media="short-\$Number\$\.m4s\?expires=/)
      site.files.set(`${FOLDER}index.mpd`, { body: signed, type: 'application/dash+xml' })
      page = await site.open(VIDEO, await script(heading))
      const link = await site.link(`${FOLDER}index.mpd`, { prefix: FOLDER })
      await page.evaluate(`(async () => {
        window.errors = []
        window.video = document.getElementById('v')
        const player = await recipe.play(video, '${link}')
        // Both load no more than this ahead, so there is something left to load after the pause.
        window.keepAhead = (seconds) => {
          if (player.configure) player.configure('streaming.bufferingGoal', seconds)
          else player.updateSettings({ streaming: { buffer: { bufferTimeDefault: seconds, bufferTimeAtTopQuality: seconds } } })
        }
        keepAhead(2)
        const failed = (event) => errors.push(JSON.stringify(event.detail ?? event.error))
        player.addEventListener ? player.addEventListener('error', failed) : player.on('error', failed)
        video.play()
      })()`)
      await until('video.currentTime > 0.2')
      await page.evaluate('video.pause()')
      await noMoreRequests()
      expect(site.renewals()).toEqual([])
      expect(loaded(/short-/).segments).toBeLessThan(SEGMENTS_OF_TRAILER)

      await anHourPasses(site, page)
      await page.evaluate('{ keepAhead(100); video.play() }')
      await playsFast()
      expect(await page.evaluate('errors')).toEqual([])
      expect(loaded(/short-/)).toEqual({ segments: SEGMENTS_OF_TRAILER, tokens: 2 })
      expect(site.renewals().map(({ links, status }) => [links, status])).toEqual([[1, 200]])
      expect(site.refused()).toEqual([])
      expect(site.complaints).toEqual([])
    }, 120_000)
  })

  /** Timers that a test can wind forward. */
  const withTimers = (opened: Page) => opened.clock.install()

  /** Nine and three quarter minutes pass, and the timers that are due by then are called. */
  async function linksNearTheirExpiry(): Promise<void> {
    site.ahead += 585_000
    await page.clock.fastForward(585_000)
  }

  test('video.js plays one file, and goes on at its position with a new link', async () => {
    page = await site.open('<video id="v" class="video-js" muted preload="auto"></video>', await script('video.js'), withTimers)
    await page.evaluate(`{
      window.video = document.getElementById('v')
      window.player = recipe.play(video, '${await site.link(`${FOLDER}movie.mp4`)}')
      window.video = player.el().querySelector('video')
      player.play()
    }`)
    await until('video.currentTime > 1')
    const first = await page.evaluate('video.src')
    const position = await page.evaluate<number>('video.currentTime')
    await linksNearTheirExpiry()
    await page.waitForFunction(`video.src !== '${first}' && video.currentTime > ${position}`, undefined, { timeout: 20_000, polling: 50 })
    await page.evaluate('player.playbackRate(8)')
    await until('player.ended()')
    expect(await page.evaluate('player.error()')).toBe(null)
    expect(site.renewals().map(({ links, status }) => [links, status])).toEqual([[1, 200]])
    expect(site.refused()).toEqual([])
    expect(site.complaints).toEqual([])
  }, 120_000)

  test('video.js plays HLS, and goes on with a new token after a pause', async () => {
    page = await site.open('<video id="v" class="video-js" muted></video>', await script('HLS and DASH'), withTimers)
    await page.evaluate(`{
      window.player = recipe.play(document.getElementById('v'), '${await site.link(`${FOLDER}index.m3u8`, { prefix: FOLDER })}')
      window.video = player.el().querySelector('video')
      player.ready(() => player.play())
    }`)
    await until('video.currentTime > 0.2')
    await page.evaluate('player.pause()')
    await noMoreRequests()
    expect(site.renewals()).toEqual([])
    expect(loaded(/short-/).segments).toBeLessThan(SEGMENTS)

    await linksNearTheirExpiry()
    await expect.poll(() => site.renewals().length, { timeout: 20_000 }).toBe(1)
    await page.evaluate('{ player.currentTime(video.buffered.end(0) - 0.5); player.play() }')
    await playsFast()
    expect(await page.evaluate('player.error()')).toBe(null)
    expect(loaded(/short-/)).toEqual({ segments: SEGMENTS, tokens: 2 })
    expect(site.renewals().map(({ links, status }) => [links, status])).toEqual([[1, 200]])
    expect(site.refused()).toEqual([])
    expect(site.complaints).toEqual([])
  }, 120_000)
})
