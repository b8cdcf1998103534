// A stand-in for Deno KV, for tests of denoKvStore that set the clock.

/** Deno KV as far as the store needs it, with its rule for `check`. */
export function standIn() {
  const data = new Map<string, { value: unknown; version: number; expireIn: number; writtenAt: number }>()
  /** The entry of a key, unless it has expired. */
  const find = (key: string[]) => {
    const entry = data.get(key.join())
    return entry && entry.writtenAt + entry.expireIn > Date.now() ? entry : undefined
  }
  return {
    data,
    async get(key: string[]) {
      const entry = find(key)
      return { key, value: entry?.value ?? null, versionstamp: entry ? `${entry.version}` : null }
    },
    atomic() {
      let checked: { key: string[]; versionstamp: string | null }
      const writes: (() => void)[] = []
      const transaction = {
        check(entry: typeof checked) {
          checked = entry
          return transaction
        },
        set(key: string[], value: unknown, options?: { expireIn?: number }) {
          const { expireIn = Infinity } = options ?? {}
          const version = (data.get(key.join())?.version ?? 0) + 1
          writes.push(() => data.set(key.join(), { value, version, expireIn, writtenAt: Date.now() }))
          return transaction
        },
        async commit() {
          const version = find(checked.key)?.version
          if (checked.versionstamp !== (version === undefined ? null : `${version}`)) return { ok: false }
          for (const write of writes) write()
          return { ok: true }
        },
      }
      return transaction
    },
  }
}
