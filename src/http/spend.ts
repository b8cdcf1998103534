// spend: redeems a visit, and answers for a store that is down.
import { redeem, type UseStore } from '../core/redeem.ts'
import type { Scheme } from '../core/scheme.ts'
import type { Verdict } from '../core/verdict.ts'
import type { VerifyOptions } from '../core/verify.ts'
import { problem } from './refusal.ts'

/** As `redeem`, but where the store fails the answer is a 503. All other failures are the programmer's to see. */
export async function spend(scheme: Scheme, request: Request, options: VerifyOptions, store: UseStore): Promise<Verdict | Response> {
  let down = false
  const safe: UseStore = {
    async take(...use) {
      try {
        return await store.take(...use)
      } catch {
        down = true
        return false
      }
    },
  }
  const verdict = await redeem(scheme, request, { ...options, store: safe })
  if (!down) return verdict
  return problem(503, 'Whether this link has been used cannot be told right now; try again later.', {}, request.method)
}
