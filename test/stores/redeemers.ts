// Four processes that redeem links with a store of their own each, for redis.server.test.ts and sql.server.test.ts.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { root } from '../built.ts'

/** Starts `redeemer.mjs` four times. Each process is added to `processes`, so that the test can kill it at its end. */
export async function redeemers(kind: string, port: number, secret: string, processes: ChildProcess[]) {
  const children = await Promise.all(
    [1, 2, 3, 4].map(async () => {
      const child = fork(join(root, 'test/stores/redeemer.mjs'), [kind, `${port}`, secret], { execArgv: [] })
      processes.push(child)
      await once(child, 'message')
      return child
    }),
  )
  /** Sends a message to all four, and counts their answers. */
  const ask = async (message: object) => {
    const answers = await Promise.all(
      children.map(async (child) => {
        const answer = once(child, 'message')
        child.send(message)
        return (await answer)[0]
      }),
    )
    const counts: Record<string, number> = {}
    for (const one of answers.flat()) counts[one] = (counts[one] ?? 0) + 1
    return counts
  }
  const stop = () => children.forEach((child) => void child.kill())
  return { ask, stop }
}
