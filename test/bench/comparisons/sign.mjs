// sign with hmac, beside everything else that signs a short text.
import { sign } from '../../../dist/index.js'
import { keptSign, recipeSign } from '../peers/cloudflare.mjs'
import { honoSign } from '../peers/hono.mjs'
import { joseSign, jwtSign } from '../peers/jose.mjs'
import { rawSign } from '../peers/raw.mjs'
import { signedSign } from '../peers/signed.mjs'
import { pick, urls } from '../urls.mjs'
import { links } from './links.mjs'

export const ours = { name: '`sign` with `hmac`', call: (i) => sign(links, pick(urls, i), { expires: '1h' }) }
export const peers = [joseSign, jwtSign, keptSign, recipeSign, honoSign, signedSign, rawSign]
