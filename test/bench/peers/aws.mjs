// aws4fetch and the presigner of the AWS SDK: presigned URLs for S3. Both remember the key of the day.
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { AwsClient } from 'aws4fetch'
import { LIFE, paths, pick } from '../urls.mjs'

export const credentials = { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
export const region = 'us-east-1'
export const objects = paths.map((path) => `https://examplebucket.s3.us-east-1.amazonaws.com${path}`)

const accessKeyId = credentials.id
const secretAccessKey = credentials.secret
const fetching = new AwsClient({ accessKeyId, secretAccessKey, service: 's3', region })
const client = new S3Client({ region, credentials: { accessKeyId, secretAccessKey } })

export const aws4fetch = {
  name: 'aws4fetch',
  call: (i) => fetching.sign(`${pick(objects, i)}?X-Amz-Expires=${LIFE}`, { aws: { signQuery: true } }),
}
export const presigner = {
  name: 'AWS presigner',
  // The SDK hashes with node:crypto, or in JavaScript.
  native: true,
  call: (i) => getSignedUrl(client, new GetObjectCommand({ Bucket: 'examplebucket', Key: pick(paths, i).slice(1) }), { expiresIn: LIFE }),
}
