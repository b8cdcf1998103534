// An API that gives out links, and a folder that only links open. LINK_SECRET must have 32 bytes or more; PORT is optional.
import express from 'express'
import { hmac, sign } from 'securelink'
import { middleware } from 'securelink/node'

const links = hmac({ id: '2026-11', secret: process.env.LINK_SECRET ?? '' })
const app = express()

// Check the session before this route, because it gives a link to everyone who asks.
app.post('/link', async (req, res) => {
  const origin = `${req.protocol}://${req.get('host')}`
  res.set('cache-control', 'no-store').json({ link: await sign(links, `${origin}/files/README.md`, { expires: '10m' }) })
})

// Only links open these files. `static` answers range requests, and sends types and etags.
app.use('/files', middleware(links, { ip: (_request, req) => req.ip }), express.static(import.meta.dirname))

const server = app.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/link`)
})
