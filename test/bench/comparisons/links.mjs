// The keyring and the links of the comparisons with hmac.
import { hmac, sign } from '../../../dist/index.js'
import { secret, urls } from '../urls.mjs'

export const links = hmac([{ id: '2026-11', secret }])
export const signed = []
for (const url of urls) signed.push(await sign(links, url, { expires: '1h' }))
