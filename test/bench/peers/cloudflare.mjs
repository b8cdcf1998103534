// The recipe of Cloudflare's documentation for signed requests: HMAC-SHA-256 of the path and a timestamp.
// https://developers.cloudflare.com/workers/examples/signing-requests/
import { LIFE, paths, pick, secret } from '../urls.mjs'
import { hmacKey } from './raw.mjs'

const encoder = new TextEncoder()

// The page has Buffer; the same recipe for snippets, which have none, has btoa.
const { Buffer } = globalThis
const toBase64 = Buffer ? (bytes) => Buffer.from(bytes).toString('base64') : (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
const fromBase64 = Buffer ? (text) => Buffer.from(text, 'base64') : (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0))

// As documented, the key is imported for each request.
const importKey = () => crypto.subtle.importKey('raw', encoder.encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
const keepKey = () => hmacKey

const signWith = (getKey) => async (i) => {
  const key = await getKey()
  const url = new URL(pick(requests, i))
  const timestamp = Math.floor(Date.now() / 1000)
  const mac = await crypto.subtle.sign('HMAC', key, encoder.encode(`${url.pathname}${timestamp}`))
  url.searchParams.set('verify', `${timestamp}-${toBase64(mac)}`)
  return `${url.pathname}${url.search}`
}

const verifyWith = (getKey) => async (i) => {
  const key = await getKey()
  const url = new URL(pick(links, i))
  if (!url.searchParams.has('verify')) return false
  const [timestamp, mac] = url.searchParams.get('verify').split('-')
  const asserted = Number(timestamp)
  const verified = await crypto.subtle.verify('HMAC', key, fromBase64(mac), encoder.encode(`${url.pathname}${asserted}`))
  return verified && Date.now() / 1000 <= asserted + LIFE
}

const requests = paths.map((path) => `https://cdn.example${path}`)
const links = []
for (let i = 0; i < requests.length; i++) links.push(`https://cdn.example${await signWith(keepKey)(i)}`)
if (!(await verifyWith(importKey)(0))) throw new Error('the link of the recipe does not verify')

const documented = "Cloudflare's recipe"
const kept = "Cloudflare's recipe, key kept"
export const recipeSign = { name: documented, call: signWith(importKey) }
export const recipeVerify = { name: documented, call: verifyWith(importKey) }
export const keptSign = { name: kept, call: signWith(keepKey) }
export const keptVerify = { name: kept, call: verifyWith(keepKey) }
