// Serves the objects of an R2 bucket to clients with a link. Durable Objects count the uses of links that have a number of uses.
import { hmac } from 'securelink'
import { cacheControl, guard } from 'securelink/guard'
import { durableObjectStore } from 'securelink/stores/durable-object'

// The runtime finds the class of the Durable Object by this name.
export { LinkUses } from 'securelink/stores/durable-object'

let files

export default {
  fetch(request, env) {
    // Secrets come with the first request. Keep the guard, because a new one would import the key again.
    files ??= guard(hmac({ id: '2026-11', secret: env.LINK_SECRET }), serve, {
      ip: (request) => request.headers.get('cf-connecting-ip') ?? undefined,
      store: durableObjectStore(env.LINK_USES),
    })
    return files(request, env)
  },
}

async function serve(request, claims, env) {
  const key = decodeURIComponent(new URL(claims.resource).pathname).slice(1)
  const file = await env.FILES.get(key, { range: request.headers, onlyIf: request.headers })
  if (!file) return new Response('no such file', { status: 404 })
  const headers = new Headers({ etag: file.httpEtag, 'accept-ranges': 'bytes', 'cache-control': cacheControl(claims) })
  file.writeHttpMetadata(headers)
  // R2 sends no body if the client has the file already.
  if (!file.body) return new Response(null, { status: 304, headers })
  if (!request.headers.has('range') || !file.range) return new Response(file.body, { headers })
  const { offset = 0, length, suffix } = file.range
  const start = suffix === undefined ? offset : Math.max(0, file.size - suffix)
  const end = suffix === undefined && length !== undefined ? start + length : file.size
  headers.set('content-range', `bytes ${start}-${end - 1}/${file.size}`)
  return new Response(file.body, { status: 206, headers })
}
