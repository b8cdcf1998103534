// The real frameworks, each with a folder behind signed links at /files, and a handler at /who that answers with its claims and URLs.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join as joinPath } from 'node:path'
import middie from '@fastify/middie'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { serveStatic } from 'hono/serve-static'
import polka from 'polka'
import { guard } from '../../../src/guard.ts'
import { listener, middleware } from '../../../src/node.ts'

const ip = (_request, req) => req.socket.remoteAddress
const tell = ({ claims, url, originalUrl }) => JSON.stringify({ claims, url, originalUrl })

async function listening(server) {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: server.address().port,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

export const frameworks = {
  async express(folder, links, options) {
    const app = express()
    app.set('trust proxy', 'loopback')
    // The address that Express knows may come from a proxy that it trusts.
    app.use('/files', middleware(links, { ...options, ip: (_request, req) => req.ip }), express.static(folder))
    app.use('/who', middleware(links, options), (req, res) => res.end(tell(req)))
    app.post('/body', middleware(links, options), express.json(), (req, res) => res.json(req.body))
    return listening(createServer(app))
  },

  async fastify(folder, links, options) {
    const app = fastify()
    await app.register(middie)
    app.use('/files', middleware(links, { ...options, ip }))
    app.use('/files', express.static(folder))
    app.use('/who', middleware(links, options))
    app.get('/who', (request) => tell(request.raw))
    app.use('/body', middleware(links, options))
    app.post('/body', (request) => request.body)
    await app.listen({ port: 0, host: '127.0.0.1' })
    return { port: app.server.address().port, close: () => app.close() }
  },

  async polka(folder, links, options) {
    const app = polka()
    app.use('/files', middleware(links, { ...options, ip }), express.static(folder))
    app.use('/who', middleware(links, options), (req, res) => res.end(tell(req)))
    app.use('/body', middleware(links, options), express.json(), (req, res) => res.end(JSON.stringify(req.body)))
    return listening(createServer(app.handler))
  },

  // A framework of fetch handlers, so it takes guard. Hono's serveStatic leaves the reading of files, and ranges, to the runtime.
  async hono(folder, links, options) {
    const app = new Hono()
    const files = guard(
      links,
      async (_request, _claims, c, next) => {
        await next()
        return c.res
      },
      { ...options, ip: (_request, c) => c.env.remoteAddress },
    )
    app.use('/files/*', (c, next) => files(c.req.raw, c, next))
    app.use(
      '/files/*',
      serveStatic({
        root: folder,
        join: joinPath,
        rewriteRequestPath: (path) => path.slice('/files'.length),
        getContent: (path, c) => part(path, c.req.header('range')),
      }),
    )
    const who = guard(links, (_request, claims) => Response.json({ claims }), options)
    app.get('/who', (c) => who(c.req.raw))
    const body = guard(links, async (request) => Response.json(await request.json()), options)
    app.post('/body', (c) => body(c.req.raw))
    return listening(createServer(listener((request, info) => app.fetch(request, info))))
  },
}

/** Express with the folder behind links whose token is in the path, which it takes for a parameter of its own. */
export function underToken(folder, links) {
  return listening(createServer(express().use('/:token', middleware(links), express.static(folder))))
}

async function part(path, range) {
  const bytes = await readFile(path).catch(() => null)
  if (!bytes) return null
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? []
  const headers = { 'accept-ranges': 'bytes', 'content-type': 'text/plain' }
  if (!first) return new Response(bytes, { headers })
  headers['content-range'] = `bytes ${first}-${last}/${bytes.length}`
  return new Response(bytes.subarray(+first, +last + 1), { status: 206, headers })
}
