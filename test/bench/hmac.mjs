// What hmac's verbs cost beside the raw crypto.subtle call on a cached key with the same text. Runs on Node, Deno and Bun as it is.
import { hmac, inspect, sign, verify } from '../../dist/index.js'
import { paired, sync } from './paired.mjs'

const secret = '0123456789abcdef0123456789abcdef'
const links = hmac([{ id: '2026-11', secret }])
const url = 'https://cdn.example/reports/2026/annual-report.pdf?page=2'
const conditions = { expires: new Date(1_900_000_000_000) }
const link = await sign(links, url, conditions)

// The text that this link signs, see docs/spec.md.
const text = new TextEncoder().encode('SecureLink hmac v1\n\n\n/reports/2026/annual-report.pdf\n?page=2\n1900000000\n\n\n\n\n\n\n2026-11')
const key = await crypto.subtle.importKey('raw', new TextEncoder().encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
  'sign',
  'verify',
])
const signature = new Uint8Array(await crypto.subtle.sign('HMAC', key, text))
if (
  !link.endsWith(
    btoa(String.fromCharCode(...signature))
      .replace(/\+/g, '-')
      .replace(/\//g, '_')
      .replace(/=/g, ''),
  )
)
  throw new Error('the texts differ')
if (!(await verify(links, link)).ok) throw new Error('the link does not verify')

const rawSign = () => crypto.subtle.sign('HMAC', key, text)
const rawVerify = () => crypto.subtle.verify('HMAC', key, signature, text)
const runs = [
  ['raw sign', rawSign, rawSign],
  ['sign', rawSign, () => sign(links, url, conditions)],
  ['verify', rawVerify, () => verify(links, link)],
]
for (const [name, raw, candidate] of runs)
  for (const flight of [1, 64]) {
    const { ratio, added } = await paired(raw, candidate, { flight })
    console.log(`${`${name} x${flight}`.padEnd(12)} ${ratio.toFixed(2)} times raw, ${added.toFixed(1)} µs added`)
  }
console.log(`${'inspect'.padEnd(12)} ${sync(() => inspect(links, link)).toFixed(2)} µs`)
