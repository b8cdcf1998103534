// What presigning costs: beside the raw WebCrypto calls that SigV4 needs once the key of the day is known (one digest and one HMAC), and beside the
// packages that do the same. Runs on Node; the packages are devDependencies.
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { AwsClient } from 'aws4fetch'
import { sign, verify } from '../../dist/index.js'
import { s3 } from '../../dist/schemes/s3.js'
import { paired } from './paired.mjs'

const id = 'AKIAIOSFODNN7EXAMPLE'
const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const region = 'us-east-1'
const bucket = s3({ id, secret }, { region })
const url = 'https://examplebucket.s3.us-east-1.amazonaws.com/reports/2026/annual-report.pdf'
const signed = () => sign(bucket, url, { expires: '15m' })
const link = await signed()

// The texts of the documentation's example; ours are longer by the length of the key.
const encoder = new TextEncoder()
const request = encoder.encode(
  `GET\n${new URL(url).pathname}\n${link.slice(link.indexOf('?') + 1, link.lastIndexOf('&'))}\nhost:${new URL(url).host}\n\nhost\nUNSIGNED-PAYLOAD`,
)
const day = new Date().toISOString().slice(0, 10).replaceAll('-', '')
const text = encoder.encode(`AWS4-HMAC-SHA256\n${day}T000000Z\n${day}/us-east-1/s3/aws4_request\n${'0'.repeat(64)}`)
const key = await crypto.subtle.importKey('raw', new Uint8Array(32).fill(1), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
const signature = await crypto.subtle.sign('HMAC', key, text)
const raw = async () => {
  await crypto.subtle.digest('SHA-256', request)
  return crypto.subtle.sign('HMAC', key, text)
}
const rawVerify = async () => {
  await crypto.subtle.digest('SHA-256', request)
  return crypto.subtle.verify('HMAC', key, signature, text)
}

const client = new S3Client({ region, credentials: { accessKeyId: id, secretAccessKey: secret } })
const sdk = () =>
  getSignedUrl(client, new GetObjectCommand({ Bucket: 'examplebucket', Key: 'reports/2026/annual-report.pdf' }), { expiresIn: 900 })
// It remembers derived keys, too, as the option cache of this client.
const fetching = new AwsClient({ accessKeyId: id, secretAccessKey: secret, service: 's3', region })
const aws4fetch = () => fetching.sign(`${url}?X-Amz-Expires=900`, { aws: { signQuery: true } })

if (!(await verify(bucket, link)).ok) throw new Error('the link does not verify')

const line = (name, ratio) => console.log(`${name.padEnd(34)} ${ratio.toFixed(2)}`)
for (const flight of [1, 64]) {
  line(`s3 sign / raw x${flight}`, (await paired(raw, signed, { flight })).ratio)
  line(`s3 verify / raw x${flight}`, (await paired(rawVerify, () => verify(bucket, link), { flight })).ratio)
  line(`aws4fetch / s3 x${flight}`, (await paired(signed, aws4fetch, { flight, rounds: 21, count: 512 })).ratio)
  line(`s3-request-presigner / s3 x${flight}`, (await paired(signed, sdk, { flight, rounds: 11, count: 256 })).ratio)
}
