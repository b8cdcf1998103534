// The names and rules of the storage services that sign with HMAC-SHA-1 in the way of Amazon's Signature Version 2.
import { assertOption } from '../../core/errors.ts'
import { encodeValue } from '../../lib/url.ts'
import { hostname } from './storage-host.ts'
import { allBut, assertHostIsNotOf, type StorageVendor } from './vendor-hosts.ts'

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
  /** Hosts of the vendor that no link of this kind opens. */
  readonly closed: readonly RegExp[]
  /** The domain of the vendor: its other hosts may hide the name of a bucket. */
  readonly domain: RegExp
  /** Storages that do not take these links. */
  readonly others: readonly StorageVendor[]
  /** Escapes a value. */
  readonly escape: (value: string) => string
  /** The order in which the vendor's signers write a link. */
  readonly order: readonly ('keyId' | 'expires' | 'signature' | 'token' | 'query')[]
}

/** The sub-resources that all three vendors sign. */
const COMMON = `acl cors delete inventory lifecycle location logging partNumber policy replication requestPayment restore tagging
  uploadId uploads versionId versioning versions website response-cache-control response-content-disposition response-content-encoding
  response-content-language response-content-type response-expires`

const withCommon = (names: string): ReadonlySet<string> => new Set(`${COMMON} ${names}`.split(/\s+/))

/** https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html; the sub-resources are those of botocore. */
const S3: V2Vendor = {
  keyId: 'AWSAccessKeyId',
  securityToken: 'x-amz-security-token',
  prefix: 'x-amz-',
  parametersAreHeaders: true,
  decodesPath: false,
  subresources: withCommon(`accelerate analytics defaultObjectAcl metrics notification object-lock select select-type storageClass
    torrent`),
  hosts:
    /^(?:(?<bucket>.+)\.)?(?:s3(?:[.-][a-z\d.-]*)?\.amazonaws\.com(?:\.cn)?|storage\.googleapis\.com|s3(?:\.[a-z\d-]+)?\.wasabisys\.com|[a-z]+\d\.digitaloceanspaces\.com)$/,
  closed: [
    /(^|\.)s3-(website|accesspoint|object-lambda|outposts|global)[.-]/,
    // Regions that were launched after January 2014 take Version 4 only.
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingAWSSDK.html#specify-signature-version
    /[.-](?!(?:us-(?:east|west)-\d|us-gov-west-1|eu-west-1|ap-southeast-[12]|ap-northeast-1|sa-east-1)\.)[a-z]{2}(?:-[a-z]+)+-\d+\.amazonaws\./,
    /[.-]us-east-2\.amazonaws\./,
  ],
  domain: /(^|\.)amazonaws\.com(\.cn)?$/,
  // R2 and B2 take Version 4 only.
  others: ['Azure Storage', 'Cloudflare R2', 'Backblaze B2'],
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
  subresources: withCommon(`append asyncFetch bucketInfo callback callback-var cname comp continuation-token encryption endTime group
    inventoryId link live metaQuery objectInfo objectMeta position qos qosInfo referer replicationLocation replicationProgress
    resourceGroup security-token sequential startTime stat status style styleName symlink transferAcceleration vod worm wormExtend
    wormId`),
  hosts: /^(?:(?<bucket>[^.]+)\.)?(?:(?:vpc100-)?oss-[a-z\d-]+|[a-z\d-]+\.oss)\.aliyuncs\.com$/,
  // These take the signatures of Amazon S3.
  closed: [/(^|\.)s3\.oss-[a-z\d-]+\.aliyuncs\.com$/],
  domain: /(^|\.)aliyuncs\.com$/,
  others: /* @__PURE__ */ allBut('Alibaba Cloud OSS'),
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
  subresources: withCommon(`append attname backtosource bucketstatus customdomain deletebucket directcoldaccess encryption length
    metadata mirrorBackToSource modify name notification object-lock obsalias obsbucketalias obscompresspolicy obsworkflowtriggerpolicy
    policyStatus position publicAccessBlock quota rename retention storageClass storageinfo storagePolicy torrent truncate
    x-image-process x-image-save-bucket x-image-save-object x-oss-process x-workflow-execution-state x-workflow-execution-type
    x-workflow-graph-name x-workflow-limit x-workflow-next-marker x-workflow-prefix x-workflow-start x-workflow-template-name`),
  hosts: /^(?:(?<bucket>.+)\.)?obs(?:\.[a-z\d-]+)?\.(?:myhuaweicloud\.(?:com|eu)|otc\.t-systems\.com)$/,
  closed: [/(^|\.)obs-website\./],
  domain: /(^|\.)(myhuaweicloud\.(com|eu)|otc\.t-systems\.com)$/,
  others: /* @__PURE__ */ allBut('Huawei Cloud OBS'),
  escape: (value) => encodeValue(value).replaceAll('%2F', '/'),
  order: ['keyId', 'expires', 'query', 'token', 'signature'],
}

export const VENDORS: Readonly<Record<'s3' | 'oss' | 'obs', V2Vendor>> = { s3: S3, oss: OSS, obs: OBS }

/** Throws for the host of another vendor, and for a host of the vendor that no link opens or that does not say which bucket is signed. */
export function assertHostOf({ others, closed, domain, hosts }: V2Vendor, host: string, bucket: string | undefined): void {
  const name = hostname(host)
  assertOption(name, 'url', 'one with a host of at most 253 characters, as DNS has them')
  assertHostIsNotOf(others, name)
  assertOption(!closed.some((each) => each.test(name)), 'url', 'one with a host of the vendor that takes links of this kind')
  assertOption(
    bucket !== undefined || !domain.test(name) || hosts.test(name),
    'bucket',
    'given, because the host of the URL does not name it',
  )
}
