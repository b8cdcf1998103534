// The names and rules of the storage services that sign with HMAC-SHA-1 in the way of Amazon's Signature Version 2, and the parts of a request that each signs.
import { encodeValue } from '../../lib/url.ts'
import { type CanonicalParameter, canonicalParameters } from './canonical-request.ts'

/** The names and rules of one vendor. */
export interface V2Vendor {
  /** The parameter with the access key id. */
  readonly keyId: string
  /** The parameter with the token of temporary credentials. */
  readonly securityToken: string
  /** The beginning of the names of the vendor's headers and parameters, in lower case. */
  readonly prefix: string
  /** Parameters with this prefix are signed as if they were headers. Otherwise they are sub-resources. */
  readonly parametersAreHeaders: boolean
  /** The path is signed decoded, and not as it stands in the request. */
  readonly decodesPath: boolean
  /** The parameters that are signed, and that are not the link's own. */
  readonly subresources: ReadonlySet<string>
  /** The hosts of the vendor, with the bucket if they have one. */
  readonly hosts: RegExp
  /** Escapes a value. */
  readonly escape: (value: string) => string
  /** The order in which the vendor's signers write a link. */
  readonly order: readonly ('keyId' | 'expires' | 'signature' | 'token' | 'query')[]
}

const RESPONSE_HEADERS = [
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
]

const words = (text: string): string[] => text.trim().split(/\s+/)

/** https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html; the sub-resources are those of botocore. */
const S3: V2Vendor = {
  keyId: 'AWSAccessKeyId',
  securityToken: 'x-amz-security-token',
  prefix: 'x-amz-',
  parametersAreHeaders: true,
  decodesPath: false,
  subresources: new Set([
    ...RESPONSE_HEADERS,
    ...words(`accelerate acl analytics cors defaultObjectAcl delete inventory lifecycle location logging metrics notification object-lock
      partNumber policy replication requestPayment restore select select-type storageClass tagging torrent uploadId uploads versionId
      versioning versions website`),
  ]),
  hosts: /^(?:(?<bucket>.+)\.)?s3(?:[.-][a-z\d.-]*)?\.amazonaws\.com(?:\.cn)?$/,
  escape: encodeValue,
  order: ['query', 'keyId', 'signature', 'token', 'expires'],
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/ddd-signatures-to-urls; the sub-resources are those of Alibaba's SDK for Python. */
const OSS: V2Vendor = {
  keyId: 'OSSAccessKeyId',
  securityToken: 'security-token',
  prefix: 'x-oss-',
  parametersAreHeaders: false,
  decodesPath: true,
  subresources: new Set([
    ...RESPONSE_HEADERS,
    ...words(`acl append asyncFetch bucketInfo callback callback-var cname comp continuation-token cors delete encryption endTime group
      inventory inventoryId lifecycle link live location logging metaQuery objectInfo objectMeta partNumber policy position qos qosInfo
      referer replication replicationLocation replicationProgress requestPayment resourceGroup restore security-token sequential startTime
      stat status style styleName symlink tagging transferAcceleration uploadId uploads versionId versioning versions vod website worm
      wormExtend wormId`),
  ]),
  hosts: /^(?:(?<bucket>[^.]+)\.)?(?:oss-[a-z\d-]+|[a-z\d-]+\.oss)\.aliyuncs\.com$/,
  escape: encodeValue,
  order: ['keyId', 'expires', 'signature', 'query', 'token'],
}

/** https://support.huaweicloud.com/intl/en-us/api-obs/obs_04_0011.html; the sub-resources are those of Huawei's SDK for Node. */
const OBS: V2Vendor = {
  keyId: 'AccessKeyId',
  securityToken: 'x-obs-security-token',
  prefix: 'x-obs-',
  parametersAreHeaders: false,
  decodesPath: false,
  subresources: new Set([
    ...RESPONSE_HEADERS,
    ...words(`acl append attname backtosource bucketstatus cors customdomain delete deletebucket directcoldaccess encryption inventory length
      lifecycle location logging metadata mirrorBackToSource modify name notification object-lock obsalias obsbucketalias obscompresspolicy
      obsworkflowtriggerpolicy partNumber policy policyStatus position publicAccessBlock quota rename replication requestPayment restore
      retention storageClass storageinfo storagePolicy tagging torrent truncate uploadId uploads versionId versioning versions website
      x-image-process x-image-save-bucket x-image-save-object x-oss-process x-workflow-execution-state x-workflow-execution-type
      x-workflow-graph-name x-workflow-limit x-workflow-next-marker x-workflow-prefix x-workflow-start x-workflow-template-name`),
  ]),
  hosts: /^(?:(?<bucket>.+)\.)?obs\.[a-z\d-]+\.(?:myhuaweicloud\.(?:com|eu)|otc\.t-systems\.com)$/,
  escape: (value) => encodeValue(value).replaceAll('%2F', '/'),
  order: ['keyId', 'expires', 'query', 'token', 'signature'],
}

export const VENDORS: Readonly<Record<'s3' | 'oss' | 'obs', V2Vendor>> = { s3: S3, oss: OSS, obs: OBS }

/** The host without its scheme and port. DNS names have at most 253 characters, and the regular expressions would take long for a longer one. */
export function hostname(origin: string): string {
  const host = origin.replace(/^[a-z]+:\/\//, '').replace(/:\d+$/, '')
  return host.length > 253 ? '' : host
}

export function isSigned({ subresources, prefix }: V2Vendor, name: string): boolean {
  return subresources.has(name) || name.startsWith(prefix)
}

/**
 * The parameters that are signed, decoded and in order. `undefined` for a broken escape, for one that is repeated, and for a value that the string to
 * sign would not keep apart from another parameter.
 */
export function signedParameters(vendor: V2Vendor, query: string): readonly CanonicalParameter[] | undefined {
  const signed = canonicalParameters(query)
    ?.filter(({ name }) => isSigned(vendor, name))
    .map(({ name, value }) => ({ name, value: decodeURIComponent(value) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const isBad = ({ name, value }: CanonicalParameter, at: number) =>
    name === signed?.[at - 1]?.name || /\p{Cc}/u.test(value) || hidesSubresource(vendor, value)
  return signed?.some(isBad) ? undefined : signed
}

/** Could a part of this text be read as another sub-resource? The string to sign does not escape `?` and `&`. */
export function hidesSubresource(vendor: V2Vendor, text: string): boolean {
  const [, ...pieces] = text.split(/[?&]/)
  return pieces.some((piece) => isSigned(vendor, piece.split('=', 1)[0] as string))
}

/** Is this a header that is signed? Any other would not bind the request. */
export function isSignedHeader({ prefix }: V2Vendor, name: string): boolean {
  return /^content-(type|md5)$/.test(name) || (name.startsWith(prefix) && /^[\w-]+$/.test(name))
}
