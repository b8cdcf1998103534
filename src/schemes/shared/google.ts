// Google Cloud Storage: the words of its V4 signatures, and the URLs that they do not open.
import { assertOption } from '../../core/errors.ts'
import { parameterNames, type Vocabulary } from './sigv4.ts'
import { allBut, assertHostIsNotOf } from './vendor-hosts.ts'

/** The words of Google. */
export const GOOG4: Vocabulary = {
  algorithm: 'GOOG4-HMAC-SHA256',
  secretPrefix: 'GOOG4',
  terminator: 'goog4_request',
  parameters: /* @__PURE__ */ parameterNames('X-Goog-'),
  headerPrefix: 'x-goog-',
  // The hash is in the string to sign anyway, and Google's Identity-Aware Proxy adds the others on the way.
  unsignedHeaders: ['x-goog-content-sha256', 'x-goog-iap-jwt-assertion', 'x-goog-authenticated-user-email', 'x-goog-authenticated-user-id'],
  payloadHash: 'X-Goog-Content-Sha256',
  // Google's libraries sign no port, and their documentation says that a link for GET opens HEAD.
  signsPort: false,
  getOpensHead: true,
}

/** Throws for a URL that no signed URL of the storage opens. */
export function assertUrl(hostname: string, path: string): void {
  assertOption(hostname.length <= 253, 'url', 'one with a host of at most 253 characters, as DNS has them')
  assertHostIsNotOf(OTHER_STORAGES, hostname)
  const closed = CLOSED.find(({ urls }) => urls.test(hostname + path))
  assertOption(!closed, 'url', `one that signed URLs open: ${closed?.problem}; use https://storage.googleapis.com/BUCKET/OBJECT`)
}

const OTHER_STORAGES = /* @__PURE__ */ allBut('Google Cloud Storage')

// Hosts and paths that no signed URL opens. https://cloud.google.com/storage/docs/request-endpoints
const CLOSED: readonly { readonly urls: RegExp; readonly problem: string }[] = [
  { urls: /^([^/]*\.)?storage\.cloud\.google\.com\//, problem: 'this address is for browsers with a Google account' },
  { urls: /^console\.cloud\.google\.com\//, problem: 'this is an address of the console' },
  {
    urls: /^((content-)?storage(\.mtls|\.[\w-]+\.rep)?\.googleapis\.com\/(batch\/|((resumable\/)?(download|upload)\/)?storage\/v1\/)|www\.googleapis\.com\/)/,
    problem: 'the JSON API takes no signed URLs',
  },
  { urls: /^firebasestorage\.googleapis\.com\//, problem: 'Firebase has tokens of its own' },
  { urls: /^[^/]*\.(firebasestorage\.app|web\.app|firebaseapp\.com)\//, problem: 'Firebase does not serve buckets at this host' },
  // With an empty variable, the path has no bucket.
  { urls: /^(storage|commondatastorage)\.googleapis\.com\/\//, problem: 'the name of the bucket is empty' },
]
