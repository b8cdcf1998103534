// workerd, started as `workerd test`: one round, and a failed test when a case fails.
import { round } from './round.js'

export default {
  async test() {
    if (await round(console.log)) throw new Error('some cases failed')
  },
}
