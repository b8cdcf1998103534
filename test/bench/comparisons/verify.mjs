// verify with hmac, beside everything else that verifies a short text.
import { verify } from '../../../dist/index.js'
import { keptVerify, recipeVerify } from '../peers/cloudflare.mjs'
import { honoVerify } from '../peers/hono.mjs'
import { joseJwtVerify, joseVerify } from '../peers/jose.mjs'
import { rawVerify } from '../peers/raw.mjs'
import { signedVerify } from '../peers/signed.mjs'
import { pick } from '../urls.mjs'
import { links, signed } from './links.mjs'

if (!(await verify(links, signed[0])).ok) throw new Error('the link does not verify')

export const ours = { name: '`verify` with `hmac`', call: (i) => verify(links, pick(signed, i)) }
export const peers = [joseVerify, joseJwtVerify, keptVerify, recipeVerify, honoVerify, signedVerify, rawVerify]
