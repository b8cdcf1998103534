// An API that hands out links, and a folder behind them. It needs LINK_SECRET, with 32 bytes or more, and takes PORT.
import express from 'express'
import { hmac, sign } from 'securelink'
import { middleware } from 'securelink/node'

const links = hmac({ id: '2026-11', secret: process.env.LINK_SECRET ?? '' })
const app = express()

// Put the check of your session in front of this route, because it gives a link to everybody.
app.post('/link', async (req, res) => {
  const origin = `${req.protocol}://${req.get('host')}`
  res.set('cache-control', 'no-store').json({ link: await sign(links, `${origin}/files/README.md`, { expires: '10m' }) })
})

// Opened by links only. `static` sends ranges, types and etags.
app.use('/files', middleware(links, { ip: (_request, req) => req.ip }), express.static(import.meta.dirname))

const server = app.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/link`)
})
