// The address of a bucket, to which forms are sent: its host, and the name of the bucket.
import { assertOption } from '../core/errors.ts'
import { normalOrigin } from '../lib/normalise.ts'
import { isRequestTarget } from '../lib/request-target.ts'
import { split } from '../lib/url.ts'

/** Where a form is sent. */
export interface BucketAddress {
  /** In lower case, without its port. Empty when the URL is not one. */
  readonly hostname: string
  readonly path: string
  /** `undefined` when neither the URL nor the caller names the bucket. */
  readonly bucket: string | undefined
}

/** Hosts that begin with the name of a bucket: `BUCKET.s3.eu-central-1.amazonaws.com`, `BUCKET.storage.googleapis.com`. */
const NAMED_BY_HOST = /^(?<bucket>.+)\.(?:s3[.-][a-z\d.-]+|storage\.googleapis\.com)$/

/** Takes the address of a bucket apart. It may be from a request, so it never throws. */
export function bucketAddress(url: string, given: string | undefined): BucketAddress {
  const { origin, path, query } = split(url)
  const sendable = origin !== '' && query === '' && isRequestTarget(url)
  // DNS has no longer names, and the expression above would take long for one.
  const hostname = sendable ? normalOrigin(origin).replace(/^\w+:\/\/|:\d+$/g, '') : ''
  if (!hostname || hostname.length > 253) return { hostname: '', path, bucket: undefined }
  const inPath = path.replace(/^\/|\/$/g, '')
  const named = given ?? NAMED_BY_HOST.exec(hostname)?.groups?.['bucket']
  // A bucket that is named already may stand in the path again, and nothing else may: forms are sent to the bucket, not to an object.
  const bucket = inPath === '' || named === undefined ? (named ?? inPath) : inPath === named && given ? named : undefined
  return { hostname, path, bucket: bucket && isBucketName(bucket) ? bucket : undefined }
}

/** The same, for callers of `postPolicy`, whose mistakes are worth an error. */
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
