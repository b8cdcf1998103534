// verify of a link that linkMemory remembers, beside the raw call that it saves.
import { linkMemory, verify } from '../../../dist/index.js'
import { rawVerify } from '../peers/raw.mjs'
import { pick } from '../urls.mjs'
import { links, signed } from './links.mjs'

const memory = linkMemory()
for (const link of signed) await verify(links, link, { memory })
if (memory.size !== signed.length) throw new Error('the links are not remembered')

export const ours = { name: '`verify` of a remembered link', call: (i) => verify(links, pick(signed, i), { memory }) }
export const peers = [rawVerify]
