// The mistake that a call throws, for one line per case.
import { LinkError } from '../../../src/index.ts'

/** Code and option of the LinkError that a call throws, at once or through its promise. Other errors pass. */
export async function thrown(work: () => unknown): Promise<string> {
  try {
    await work()
  } catch (error) {
    if (error instanceof LinkError) return `${error.code} ${error.option}`
    throw error
  }
  return 'nothing'
}
