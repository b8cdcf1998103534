// One comparison in the engine that runs this: one at a time, with 64 rolling workers, and the JavaScript share.
import { COMPARISONS } from './comparisons.mjs'
import { hmacKey } from './peers/raw.mjs'
import { compare } from './rounds.mjs'
import { withoutWebCrypto } from './stub.mjs'

export async function run(name, { rounds } = {}) {
  const { ours, peers } = await COMPARISONS[name]()
  // npm `signed` is not there in browsers.
  const present = peers.filter(Boolean)
  const alone = await compare(ours, present, { workers: 1, rounds })
  const rolling = await compare(ours, present, { workers: 64, rounds })
  // A stub of WebCrypto takes nothing away from peers that hash elsewhere, and leaves nothing of the raw call.
  const stubbed = present.filter(({ native, raw }) => !native && !raw)
  const share = await withoutWebCrypto(hmacKey, () => compare(ours, stubbed, { workers: 1, rounds }))
  return { name: ours.name, alone, rolling, share }
}
