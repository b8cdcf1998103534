// bucketAddress: the host and the bucket that a form is sent to, read from its URL.
import { assertOption } from '../core/errors.ts'
import { normalOrigin } from '../lib/normalise.ts'
import { isRequestTarget } from '../lib/request-target.ts'
import { split } from '../lib/url.ts'

/** Where a form is sent. */
export interface BucketAddress {
  /** In lower case, without the port. Empty if the URL cannot be one of a bucket. */
  readonly hostname: string
  readonly path: string
  /** `undefined` when neither the URL nor the caller names the bucket. */
  readonly bucket: string | undefined
}

/** Hosts that begin with the name of a bucket: `BUCKET.s3.eu-central-1.amazonaws.com`, `BUCKET.storage.googleapis.com`. */
const NAMED_BY_HOST = /^(?<bucket>.+)\.(?:s3[.-][a-z\d.-]+|storage\.googleapis\.com)$/

/** Reads the address of a bucket. The URL may come from a request, so this never throws. */
export function bucketAddress(url: string, given: string | undefined): BucketAddress {
  const { origin, path, query } = split(url)
  const sendable = origin !== '' && query === '' && isRequestTarget(url)
  // DNS names have at most 253 characters. A forged longer one would keep the regular expression above busy.
  const hostname = sendable ? normalOrigin(origin).replace(/^\w+:\/\/|:\d+$/g, '') : ''
  if (!hostname || hostname.length > 253) return { hostname: '', path, bucket: undefined }
  const inPath = path.replace(/^\/|\/$/g, '')
  const named = given ?? NAMED_BY_HOST.exec(hostname)?.groups?.['bucket']
  // The path may repeat the option `bucket`, but must not have anything else: forms are sent to the bucket, not to an object.
  const bucket = inPath === '' || named === undefined ? (named ?? inPath) : inPath === named && given ? named : undefined
  return { hostname, path, bucket: bucket && isBucketName(bucket) ? bucket : undefined }
}

/** The same for `postPolicy`: throws a `LinkError` if the URL or the bucket is wrong. */
export function assertedBucketAddress(url: string, given: string | undefined): BucketAddress & { readonly bucket: string } {
  assertOption(given === undefined || (typeof given === 'string' && isBucketName(given)), 'bucket', 'the name of a bucket')
  const address = bucketAddress(url, given)
  assertOption(address.hostname, 'url', 'absolute, and without credentials, query and fragment')
  const { bucket } = address
  assertOption(
    bucket,
    'url',
    "that of a bucket, such as 'https://BUCKET.s3.eu-central-1.amazonaws.com/'; other hosts need the option bucket",
  )
  return { ...address, bucket }
}

const isBucketName = (name: string): boolean => /^[\w.-]+$/.test(name)
