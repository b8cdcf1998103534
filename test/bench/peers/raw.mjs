// crypto.subtle alone, with an imported key and an encoded text: no signer that uses it can take less time.
import { paths, pick, secret } from '../urls.mjs'

const encoder = new TextEncoder()
export const hmacKey = await crypto.subtle.importKey('raw', encoder.encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
  'sign',
  'verify',
])

// As long as the strings that hmac signs, see docs/spec.md.
const texts = paths.map((path) => encoder.encode(`SecureLink hmac v1\n\n\n${path}\n?page=2\n1900000000\n\n\n\n\n\n\n2026-11`))
const signatures = []
for (const text of texts) signatures.push(await crypto.subtle.sign('HMAC', hmacKey, text))

const name = 'raw `crypto.subtle` call'
export const rawSign = { name, raw: true, call: (i) => crypto.subtle.sign('HMAC', hmacKey, pick(texts, i)) }
export const rawVerify = { name, raw: true, call: (i) => crypto.subtle.verify('HMAC', hmacKey, pick(signatures, i), pick(texts, i)) }
