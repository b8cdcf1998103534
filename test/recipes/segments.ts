// Cuts the video of the playground into many short segments, so that a short film has as many requests as a long one.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../built.ts'

const folder = join(root, 'docs/playground/files/video')
const file = (name: string) => readFileSync(join(folder, name))

// Each of its five segments has 50 frames of 512 units of time, one of them a key frame. ISO/IEC 14496-12
const FRAMES = 50
const FRAME = 512
const FRAMES_OF_SHORT = 5
const SECONDS_OF_SHORT = 0.2
const SIZE = 8 // of the head of a box

export const init = () => file('init.mp4')
/** The video as one file: the segments are fragments of an MP4. */
export const movie = () => Buffer.concat([init(), ...longSegments()])
const longSegments = () => [0, 1, 2, 3, 4].map((i) => file(`segment-${i}.m4s`))

/** So many segments of 0.2 seconds. The video of ten seconds is repeated as often as needed. */
export function shortSegments(count: number): Buffer[] {
  const frames = longSegments().flatMap(framesOf)
  return Array.from({ length: count }, (_, i) => {
    const start = i * FRAMES_OF_SHORT
    const own = Array.from({ length: FRAMES_OF_SHORT }, (_, j) => frames[(start + j) % frames.length] as Buffer)
    return segment(own, start, start % FRAMES === 0)
  })
}

export function playlist(count: number): string {
  const entries = Array.from({ length: count }, (_, i) => `#EXTINF:${SECONDS_OF_SHORT},\nshort-${i}.m4s\n`)
  return `#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MAP:URI="init.mp4"\n${entries.join('')}#EXT-X-ENDLIST\n`
}

/** The same for DASH. */
export function manifest(count: number): string {
  // The profile and level of H.264, from the configuration of the decoder.
  const at = init().indexOf('avcC') + 5
  const codec = `avc1.${init().toString('hex', at, at + 3)}`
  return `<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT${count * SECONDS_OF_SHORT}S" minBufferTime="PT2S"
  profiles="urn:mpeg:dash:profile:isoff-live:2011">
<Period><AdaptationSet mimeType="video/mp4" contentType="video" segmentAlignment="true" startWithSAP="1">
<SegmentTemplate timescale="10" duration="${10 * SECONDS_OF_SHORT}" startNumber="0" initialization="init.mp4" media="short-$Number$.m4s"/>
<Representation id="only" bandwidth="24000" codecs="${codec}" width="320" height="180"/>
</AdaptationSet></Period></MPD>
`
}

function framesOf(long: Buffer): Buffer[] {
  // Of a `trun`: its version and flags, the number of its samples, an offset, the flags of the first sample, and the size of each.
  const sizes = long.indexOf('trun') + 4 + 16
  let at = long.indexOf('mdat') + 4
  return Array.from({ length: FRAMES }, (_, i) => {
    const start = at
    at += long.readUInt32BE(sizes + 4 * i)
    return long.subarray(start, at)
  })
}

function segment(frames: readonly Buffer[], start: number, isKey: boolean): Buffer {
  const head = box('mfhd', words(0, start / FRAMES_OF_SHORT + 1))
  // Default duration, size and flags of the frames; offsets count from the `moof`.
  const track = box('tfhd', words(0x020038, 1, FRAME, 0, 0x01010000))
  const time = box('tfdt', words(0x01000000, 0, start * FRAME))
  const runOf = (offset: number) =>
    box('trun', words(isKey ? 0x205 : 0x201, frames.length, offset, ...(isKey ? [0x02000000] : []), ...frames.map(({ length }) => length)))
  const moofOf = (offset: number) => box('moof', head, box('traf', track, time, runOf(offset)))
  return Buffer.concat([moofOf(moofOf(0).length + SIZE), box('mdat', ...frames)])
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4)
  return bytes
}

function box(name: string, ...content: Buffer[]): Buffer {
  const head = Buffer.alloc(SIZE)
  head.writeUInt32BE(content.reduce((sum, { length }) => sum + length, SIZE))
  head.write(name, 4, 'latin1')
  return Buffer.concat([head, ...content])
}
