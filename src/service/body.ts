// Reads the body of a request: text in UTF-8, up to a number of bytes, as JSON.

/** The body as text. `undefined` when it has more than `limit` bytes; empty when it is not UTF-8, or incomplete. */
export async function textOf({ headers, body }: Request, limit: number): Promise<string | undefined> {
  const reader = (body as ReadableStream<Uint8Array> | null)?.getReader()
  if (!reader) return ''
  try {
    if (Number(headers.get('content-length')) > limit) return await giveUp(reader)
    const decoder = new TextDecoder('utf-8', { fatal: true })
    let text = ''
    // The last chunk is decoded when it is known to be the last. Most bodies are one chunk, and Node decodes those in a fraction of the time then.
    let last: Uint8Array | undefined
    // Counted while the body arrives, because its declared length can be missing or wrong.
    for (let size = 0; ; ) {
      const { done, value } = await reader.read()
      if (done) return text + decoder.decode(last)
      size += value.length
      if (size > limit) return await giveUp(reader)
      if (last) text += decoder.decode(last, { stream: true })
      last = value
    }
  } catch {
    return ''
  }
}

async function giveUp(reader: ReadableStreamDefaultReader): Promise<undefined> {
  await reader.cancel()
  return undefined
}

/** The value of a JSON text; `undefined` when it is not JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Is this body declared as JSON, and not compressed? Pages of other sites cannot send this header without a preflight request. */
export function isDeclaredJson(headers: Headers): boolean {
  return /^application\/json *(;|$)/i.test(headers.get('content-type') ?? '') && !headers.has('content-encoding')
}
