// within: gives up waiting for a promise.

/** The value of a promise, or an error with this message if it takes longer than this many milliseconds. */
export async function within<T>(promise: Promise<T>, milliseconds: number, message: string): Promise<T> {
  let timer: unknown
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error(message), { code: 'ETIMEDOUT' })), milliseconds)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer as number))
}
