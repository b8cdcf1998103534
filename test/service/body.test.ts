// Bodies that arrive in pieces: the text is the same, wherever the pieces begin and end.
import { expect, test } from 'vitest'
import { textOf } from '../../src/service/body.ts'

const TEXT = '{"url":"/é/漢字/😀"}'
const BYTES = new TextEncoder().encode(TEXT)

/** A request whose body arrives in chunks of this many bytes. */
function requestOf(bytes: Uint8Array<ArrayBuffer>, size: number): Request {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size))
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks.shift()
      if (chunk) controller.enqueue(chunk)
      else controller.close()
    },
  })
  const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, duplex: 'half' }
  return new Request('http://127.0.0.1/sign', init)
}

test.for([1, 2, 3, 5, BYTES.length - 1, BYTES.length])('chunks of %i bytes', async (size) => {
  expect(await textOf(requestOf(BYTES, size), 100)).toBe(TEXT)
  expect(await textOf(requestOf(BYTES, size), BYTES.length)).toBe(TEXT)
  expect(await textOf(requestOf(BYTES, size), BYTES.length - 1), 'one byte more than the limit').toBeUndefined()
})

test.for([1, 3, 100])('not UTF-8, or cut off inside of a character, in chunks of %i bytes', async (size) => {
  expect(await textOf(requestOf(BYTES.slice(0, -3), size), 100)).toBe('')
  expect(await textOf(requestOf(Uint8Array.of(0x22, 0xc0, 0xaf, 0x22), size), 100)).toBe('')
})

test('no body, and an empty one', async () => {
  expect(await textOf(new Request('http://127.0.0.1/sign', { method: 'POST' }), 100)).toBe('')
  expect(await textOf(requestOf(new Uint8Array(0), 1), 100)).toBe('')
})
