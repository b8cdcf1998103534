// One route that signs, and one that only links open. LINK_SECRET must have 32 bytes or more; PORT is optional.
import { createServer } from 'node:http'
import { Hono } from 'hono'
import { hmac, sign } from 'securelink'
import { cacheControl, guard } from 'securelink/guard'
import { listener } from 'securelink/node'

const links = hmac({ id: '2026-11', secret: process.env.LINK_SECRET ?? '' })
const app = new Hono()

// Check the session before this route, because it gives a link to everyone who asks.
app.post('/link', async (c) => {
  const { origin } = new URL(c.req.url)
  const link = await sign(links, `${origin}/reports/${crypto.randomUUID()}`, { expires: '10m' })
  return c.json({ link }, 200, { 'cache-control': 'no-store' })
})

const report = guard(links, (_request, claims) => {
  const id = new URL(claims.resource).pathname.split('/').at(-1)
  return new Response(`The report ${id}\n`, { headers: { 'cache-control': cacheControl(claims) } })
})
app.get('/reports/:id', (c) => report(c.req.raw))

const server = createServer(listener(app.fetch)).listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/link`)
})
