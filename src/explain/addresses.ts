// Addresses of clients in texts that have more than the address: headers of proxies, and values that were taken from them.
import { networkOf } from '../lib/address.ts'
import type { Attempt } from './attempt.ts'

/** Headers in which proxies and platforms write the address of the client. */
const HEADERS = [
  'x-forwarded-for',
  'x-real-ip',
  'cf-connecting-ip',
  'true-client-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-original-forwarded-for',
  'x-envoy-external-address',
  'x-vercel-forwarded-for',
  'x-azure-clientip',
  'x-azure-socketip',
  'x-appengine-user-ip',
  'x-nf-client-connection-ip',
  'fastly-client-ip',
  'fly-client-ip',
  'do-connecting-ip',
  'cloudfront-viewer-address',
]

/** The address in a text such as `"203.0.113.7:4711"`, `[2001:db8::7]:443` or ` 203.0.113.7`. `undefined` if the text has no address. */
function addressIn(text: string): string | undefined {
  const bare = text.trim().replace(/^"|"$/g, '')
  // CloudFront writes IPv6 without brackets, and a port behind it: the whole text would be another address.
  const candidates = [bare, bare.replace(/^\[(.*)\](:\d{1,5})?$/, '$1'), bare.replace(/:\d{1,5}$/, '')]
  return candidates.find((candidate) => /^[\da-f.:]{2,45}$/i.test(candidate) && networkOf(candidate))
}

/** The addresses in a text that is itself not an address: with a port, white space, or several of them. Empty for an address. */
export function addressesWithin(text: string | undefined): readonly string[] {
  if (text === undefined || networkOf(text)) return []
  return text
    .split(',')
    .slice(0, 20)
    .flatMap((entry) => addressIn(entry) ?? [])
}

/** The addresses that the headers of a request name. */
export function addressesNamed({ headers }: Attempt): readonly string[] {
  const listed = HEADERS.flatMap((name) => headers[name]?.split(',') ?? [])
  const forwarded = [...(headers['forwarded'] ?? '').matchAll(/for=("[^"]*"|[^;,\s]*)/gi)].map((found) => found[1] as string)
  // Both readings of an IPv6 address with a port behind it.
  const behindPort = listed.map((entry) => entry.trim().replace(/:\d{1,5}$/, '')).filter((entry) => entry.includes('::'))
  return [...new Set([...listed, ...forwarded, ...behindPort].slice(0, 40).flatMap((entry) => addressIn(entry) ?? []))]
}
