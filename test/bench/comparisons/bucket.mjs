// The credentials of the comparisons with s3, and the sequence of WebCrypto calls that each link needs when the key of the day is known.
import { s3 } from '../../../dist/schemes/s3.js'
import { credentials, region } from '../peers/aws.mjs'
import { hmacKey } from '../peers/raw.mjs'
import { paths, pick } from '../urls.mjs'

export const bucket = s3(credentials, { region })

// As long as the texts of a real link.
const encoder = new TextEncoder()
const scope = '20261127/us-east-1/s3/aws4_request'
const query = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${credentials.id}%2F${scope.replaceAll('/', '%2F')}&X-Amz-Date=20261127T000000Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host`
const host = 'examplebucket.s3.us-east-1.amazonaws.com'
const requests = paths.map((path) => encoder.encode(`GET\n${path}\n${query}\nhost:${host}\n\nhost\nUNSIGNED-PAYLOAD`))
const text = encoder.encode(`AWS4-HMAC-SHA256\n20261127T000000Z\n${scope}\n${'0'.repeat(64)}`)
const signature = await crypto.subtle.sign('HMAC', hmacKey, text)

const name = 'raw digest and HMAC'
export const rawPresign = {
  name,
  raw: true,
  async call(i) {
    await crypto.subtle.digest('SHA-256', pick(requests, i))
    return crypto.subtle.sign('HMAC', hmacKey, text)
  },
}
export const rawPresigned = {
  name,
  raw: true,
  async call(i) {
    await crypto.subtle.digest('SHA-256', pick(requests, i))
    return crypto.subtle.verify('HMAC', hmacKey, signature, text)
  },
}
