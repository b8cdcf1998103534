// verify with s3, beside the calls of WebCrypto that it needs. The packages that presign do not verify.
import { sign, verify } from '../../../dist/index.js'
import { objects } from '../peers/aws.mjs'
import { pick } from '../urls.mjs'
import { bucket, rawPresigned } from './bucket.mjs'

const links = []
for (const url of objects) links.push(await sign(bucket, url, { expires: '1h' }))
if (!(await verify(bucket, links[0])).ok) throw new Error('the link does not verify')

export const ours = { name: '`verify` with `s3`', call: (i) => verify(bucket, pick(links, i)) }
export const peers = [rawPresigned]
