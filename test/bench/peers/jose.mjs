// jose: a compact JWS around the URL and its expiry, and a JWT with both as claims. The key is imported once.
import { CompactSign, compactVerify, jwtVerify, SignJWT } from 'jose'
import { LIFE, pick, urls } from '../urls.mjs'
import { hmacKey } from './raw.mjs'

const encoder = new TextEncoder()
const header = { alg: 'HS256' }

const signCompact = (i) => {
  const expires = Math.floor(Date.now() / 1000) + LIFE
  return new CompactSign(encoder.encode(`${pick(urls, i)}&expires=${expires}`)).setProtectedHeader(header).sign(hmacKey)
}
const signJwt = (i) =>
  new SignJWT({ url: pick(urls, i) })
    .setProtectedHeader(header)
    .setExpirationTime(Math.floor(Date.now() / 1000) + LIFE)
    .sign(hmacKey)

const compact = []
const jwts = []
for (let i = 0; i < urls.length; i++) {
  compact.push(await signCompact(i))
  jwts.push(await signJwt(i))
}

// It checks the signature and answers with bytes. Reading them, and checking the time and the URL, is left to the application.
const verifyCompact = (i) => compactVerify(pick(compact, i), hmacKey)
const verifyJwt = (i) => jwtVerify(pick(jwts, i), hmacKey)

export const joseSign = { name: 'jose, compact JWS', call: signCompact }
export const joseVerify = { name: 'jose, compact JWS', call: verifyCompact }
export const jwtSign = { name: 'jose, JWT', call: signJwt }
export const joseJwtVerify = { name: 'jose, JWT', call: verifyJwt }
