// hono: a signed cookie with the URL and its expiry. It takes the secret as text or bytes, and imports it for each call.
import { parseSigned, serializeSigned } from 'hono/utils/cookie'
import { LIFE, pick, secret, urls } from '../urls.mjs'

const serialize = (i) => serializeSigned('link', `${pick(urls, i)}&expires=${Math.floor(Date.now() / 1000) + LIFE}`, secret)
const cookies = []
for (let i = 0; i < urls.length; i++) cookies.push(await serialize(i))

const name = 'hono, signed cookie'
export const honoSign = { name, call: serialize }
export const honoVerify = { name, call: (i) => parseSigned(pick(cookies, i), secret) }
