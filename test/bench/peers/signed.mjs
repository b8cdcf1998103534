// npm `signed`: a synchronous SHA-1 of the URL and the secret, with node:crypto. It is not an HMAC, and browsers cannot run it.
import { LIFE, pick, secret, urls } from '../urls.mjs'

const { default: loaded } = await import('signed').catch(() => ({}))
const signature = loaded && (loaded.default ?? loaded)({ secret, ttl: LIFE })
const links = signature && urls.map((url) => signature.sign(url))

const name = 'npm `signed`'
export const signedSign = signature && { name, native: true, call: (i) => signature.sign(pick(urls, i)) }
export const signedVerify = signature && { name, native: true, call: (i) => signature.verify(pick(links, i)) }
