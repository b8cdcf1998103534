// Playback: while the link of a video or sound changes, keeps its position and speed, and whether it should play.

/** The playback of one medium. */
export interface Playback {
  /** Did the user or the page last tell the medium to play? */
  readonly wanted: boolean
  /** Remembers position and speed, before the link changes. */
  save(): void
  /** Goes to the saved position, and continues to play if that is wanted. */
  resume(): void
}

// The value of `networkState` after the last source of a medium has failed.
const NO_SOURCE = 3

/**
 * Follows the playback of a medium until the signal aborts.
 *
 * @param medium - Finds the medium. A function, because timers hold the answer, and would keep alive an element that the page has dropped.
 */
export function playbackOf(medium: () => HTMLMediaElement | undefined, signal: AbortSignal): Playback {
  // Chromium pauses a medium before it reports an error. So `paused` is not reliable, and the last request of the user or the page counts.
  let wanted = medium()?.paused === false
  let place: { readonly position: number; readonly rate: number } | undefined

  function played(): void {
    wanted = true
  }
  function paused(event: Event): void {
    const { error, networkState } = event.currentTarget as HTMLMediaElement
    // An error also pauses the medium, but the user did not ask for that.
    if (!error && networkState !== NO_SOURCE) wanted = false
  }
  medium()?.addEventListener('play', played, { signal })
  medium()?.addEventListener('pause', paused, { signal })

  return {
    get wanted() {
      return wanted
    },
    save() {
      const playing = medium()
      // If a second link comes while the first one loads, keep the position from before the first one.
      if (playing && (playing.readyState > 0 || playing.error)) place ??= { position: playing.currentTime, rate: playing.playbackRate }
    },
    resume() {
      const playing = medium()
      if (!playing || !place) return
      playing.currentTime = place.position
      playing.playbackRate = place.rate
      place = undefined
      // The browser may forbid this. Then the user's next click starts the medium.
      if (wanted) playing.play().catch(() => undefined)
    },
  }
}
