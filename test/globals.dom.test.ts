// The verbs with the URL, Request and Response of a window, which are not Node's classes.
import { expect, test } from 'vitest'
import { guard } from '../src/guard.ts'
import { hmac, inspect, sign, verify } from '../src/index.ts'

const links = hmac({ secret: 'a secret of 32 bytes or more, from a vault' })

test('this is a window', () => {
  expect(globalThis.document).toBeDefined()
  expect(Request.toString()).not.toContain('[native code]')
})

test('links are signed and verified from a URL, a Request and the href of an element', async () => {
  const link = await sign(links, new URL('https://h.test/a b?q=|^'), { expires: '10m', method: ['GET', 'PUT'] })
  const element = document.createElement('a')
  element.href = link
  for (const visit of [link, new URL(link), new Request(link), new Request(link, { method: 'PUT' }), element.href])
    expect(await verify(links, visit)).toMatchObject({ ok: true })
  expect(await verify(links, new Request(link, { method: 'DELETE' }))).toMatchObject({ reason: 'wrong_method' })
  expect(inspect(hmac([]), element.href)?.unverified.methods).toEqual(['GET', 'PUT'])
})

test('a service worker can guard', async () => {
  const answer = guard(links, (_request, claims) => new Response(claims.resource))
  const link = await sign(links, 'https://h.test/x', { expires: '10m' })
  expect(await (await answer(new Request(link))).text()).toBe('https://h.test/x')
  expect((await answer(new Request('https://h.test/x'))).status).toBe(403)
})
