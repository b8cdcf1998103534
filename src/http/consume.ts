// consume: redeems the link of a request, and refuses with 503 if the store fails.
import { redeem, type UseStore } from '../core/redeem.ts'
import type { Scheme } from '../core/scheme.ts'
import type { Verdict } from '../core/verdict.ts'
import type { VerifyOptions } from '../core/verify.ts'
import type { Unserved } from './refusal.ts'

/** Like `redeem`, but an error of the store becomes a refusal. Other errors are mistakes of the programmer and are thrown. */
export async function consume(scheme: Scheme, request: Request, options: VerifyOptions, store: UseStore): Promise<Verdict | Unserved> {
  let failure: Unserved | undefined
  const watched: UseStore = {
    async take(...use) {
      try {
        return await store.take(...use)
      } catch (error) {
        failure = { ok: false, reason: 'unavailable', status: 503, error }
        return false
      }
    },
  }
  const verdict = await redeem(scheme, request, { ...options, store: watched })
  return failure ?? verdict
}
