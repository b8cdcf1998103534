// sign with s3, beside the packages that presign, and beside the calls of WebCrypto that a presigned URL needs: a digest and an HMAC.
import { sign } from '../../../dist/index.js'
import { aws4fetch, objects, presigner } from '../peers/aws.mjs'
import { pick } from '../urls.mjs'
import { bucket, rawPresign } from './bucket.mjs'

export const ours = { name: '`sign` with `s3`', call: (i) => sign(bucket, pick(objects, i), { expires: '1h' }) }
export const peers = [aws4fetch, presigner, rawPresign]
