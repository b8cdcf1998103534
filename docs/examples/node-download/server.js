// A file server that sends its files to clients with a link. LINK_SECRET must have 32 bytes or more; PORT is optional.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { hmac, sign } from 'securelink'
import { cacheControl, guard } from 'securelink/guard'
import { listener } from 'securelink/node'

const links = hmac({ id: '2026-11', secret: process.env.LINK_SECRET ?? '' })

// The permitted paths. A request for any other path is a 404.
const FILES = { '/files/readme.md': { path: join(import.meta.dirname, 'README.md'), type: 'text/markdown; charset=utf-8' } }

const download = guard(links, async (request, claims) => {
  const { pathname, searchParams } = new URL(claims.resource)
  const file = Object.hasOwn(FILES, pathname) && FILES[pathname]
  if (!file) return new Response('no such file', { status: 404 })
  const { size, mtimeMs } = await stat(file.path)
  const etag = `"${size}-${mtimeMs}"`
  const name = searchParams.get('name') ?? 'download'
  const headers = new Headers({
    'accept-ranges': 'bytes',
    'cache-control': cacheControl(claims),
    'content-disposition': `attachment; filename*=UTF-8''${escaped(name)}`,
    'content-type': file.type,
    etag,
    'x-content-type-options': 'nosniff',
  })
  const range = rangeOf(request, etag, size)
  if (range.start > range.end) return new Response(null, { status: 416, headers: { 'content-range': `bytes */${size}` } })
  headers.set('content-length', `${range.end - range.start + 1}`)
  if (range.isPart) headers.set('content-range', `bytes ${range.start}-${range.end}/${size}`)
  const body = request.method === 'HEAD' ? null : Readable.toWeb(createReadStream(file.path, range))
  return new Response(body, { status: range.isPart ? 206 : 200, headers })
})

/** One range, or the whole file: also if the client has another version of it. */
function rangeOf(request, etag, size) {
  const isSame = (request.headers.get('if-range') ?? etag) === etag
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec((isSame && request.headers.get('range')) || '') ?? []
  return { isPart: first !== undefined, start: Number(first ?? 0), end: Math.min(Number(last || Infinity), size - 1) }
}

/** As RFC 8187 wants it: `encodeURIComponent` leaves four characters that must be escaped here. */
function escaped(name) {
  return encodeURIComponent(name).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
}

const server = createServer(listener(download)).listen(Number(process.env.PORT ?? 8080), '127.0.0.1', async () => {
  const origin = `http://127.0.0.1:${server.address().port}`
  console.log(await sign(links, `${origin}/files/readme.md?name=Read me.md`, { expires: '10m' }))
})
