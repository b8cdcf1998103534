// The hosts of Amazon S3 and of storages with the same protocol: the region that a host names, and the hosts that no link opens.
import { assertOption } from '../../core/errors.ts'
import type { Place } from './sigv4.ts'
import { assertHostIsNotOf } from './vendor-hosts.ts'

/** Throws for a host that no link opens, or that contradicts the options `region` and `service`. The host is in lower case, without its port. */
export function assertHostOf(hostname: string, region: string | undefined, service: string | undefined): void {
  assertOption(hostname.length <= 253, 'url', 'one with a host of at most 253 characters, as DNS has them')
  assertHostIsNotOf(CLOSED_STORAGES, hostname)
  // With another service, such as execute-api, this is a link for another API of Amazon.
  const isOtherApi = !service && /(^|\.)amazonaws\.(com|com\.cn|eu)$/.test(hostname) && !AMAZON_STORAGE.test(hostname)
  assertOption(!isOtherApi, 'url', 'one with a host of S3, such as BUCKET.s3.REGION.amazonaws.com')
  const closed = CLOSED.find(({ hosts }) => hosts.test(hostname))
  assertOption(!closed, 'url', `one that presigned URLs open: ${closed?.problem}`)
  if (!region && !service) return
  const isGlobal = /(^|\.)s3\.amazonaws\.com$/.test(hostname)
  assertOption(
    !isGlobal || !region || SERVED_GLOBALLY.test(region),
    'url',
    `one with the host of the region: BUCKET.s3.${region}.amazonaws.com`,
  )
  const named = placeNamedBy(hostname)
  // Cloudflare accepts us-east-1 as another name for auto.
  const alias = named.region === 'auto' && region === 'us-east-1'
  const ownRegion = !region || !named.region || alias || region === named.region
  assertOption(ownRegion, 'region', `'${named.region}', as in the host of the URL, or left out`)
  const ownService = !service || !named.service || service === named.service
  assertOption(ownService, 'service', `'${named.service}', as in the host of the URL, or left out`)
}

/** Throws for a path without a bucket: with an empty variable, `https://s3.REGION.amazonaws.com/${bucket}/KEY` has none. */
export function assertBucket(hostname: string, path: string): void {
  const isNameless = /^s3[.-][\w.-]*amazonaws\./.test(hostname) && path.startsWith('//')
  assertOption(!isNameless, 'url', 'one with the name of a bucket in its host or path')
}

/** Throws for a bucket that takes links and no forms. */
export function assertFormUrl(hostname: string): void {
  const closed = NO_FORMS.find(({ hosts }) => hosts.test(hostname))
  assertOption(!closed, 'url', `one that takes forms: ${closed?.problem}; sign a PUT with a content-length`)
}

// https://docs.aws.amazon.com/general/latest/gr/s3.html: the region comes last, after a dot, or after a hyphen in older hosts. The service is
// in the label before it, such as s3express-usw2-az1 or s3-fips.
const AMAZON =
  /(?:^|\.)s3[\w.-]*?[.-](?<region>(?:[a-z]{2}|eusc)(?:-[a-z]+)+-\d+)(?:\.vpce)?\.(?:amazonaws\.(?:com|com\.cn|eu)|c2s\.ic\.gov|sc2s\.sgov\.gov|csp\.hci\.ic\.gov|cloud\.adc-e\.uk)$/
const AMAZON_STORAGE = /(?:^|\.)s3(?:express)?[.-][\w.-]*amazonaws\./
const AMAZON_SERVICE = /(?:^|\.)(?<service>s3express|s3-outposts|s3-object-lambda)(?:-[\w-]+)?\.(?:dualstack\.)?[\w-]+\.amazonaws\./

// The regions of s3.amazonaws.com. Those that were launched after 20 March 2019 answer it with 400, and those of China and of the US government have
// hosts of their own: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
const SERVED_GLOBALLY =
  /^(us-(east|west)-[12]|ca-central-1|sa-east-1|eu-(west-[123]|central-1|north-1)|ap-(south-1|northeast-[123]|southeast-[12]))$/

// Other vendors whose hosts name the region that they ask for. Wasabi also has hosts with the name of a country, such as nl-1, which is not a region.
const OTHERS: readonly RegExp[] = [
  /(?:^|\.)s3\.(?<region>[a-z\d-]+)\.(?:backblazeb2\.com|scw\.cloud|(?:io|perf)\.cloud\.ovh\.(?:net|us))$/,
  /(?:^|\.)s3\.(?<region>[a-z]+-[a-z]+-\d+)\.wasabisys\.com$/,
  /\.compat\.objectstorage\.(?<region>[a-z\d-]+)\.(?:oraclecloud\.com|oci\.customer-oci\.com)$/,
]

/** The region and service that a host names. */
export function placeNamedBy(hostname: string): Partial<Place> {
  // DNS names have at most 253 characters. A forged link may have a longer one, and the regular expressions below would take long for it.
  if (hostname.length > 253) return {}
  const amazon = AMAZON.exec(hostname)?.groups?.['region']
  if (amazon) return { region: amazon, service: AMAZON_SERVICE.exec(hostname)?.groups?.['service'] ?? 's3' }
  if (hostname.endsWith('.r2.cloudflarestorage.com')) return { region: 'auto', service: 's3' }
  if (/(^|\.)storage\.yandexcloud\.net$/.test(hostname)) return { region: 'ru-central1', service: 's3' }
  const region = OTHERS.map((hosts) => hosts.exec(hostname)?.groups?.['region']).find(Boolean)
  return region ? { region, service: 's3' } : {}
}

// Hosts whose buckets take links and no forms.
const NO_FORMS: readonly { readonly hosts: RegExp; readonly problem: string }[] = [
  { hosts: /\.r2\.cloudflarestorage\.com$/, problem: 'R2 has no POST' },
  { hosts: /\.s3express-[\w-]+\.(dualstack\.)?[\w-]+\.amazonaws\./, problem: 'directory buckets have no POST' },
  { hosts: /(^|\.)backblazeb2\.com$/, problem: 'Backblaze has no POST' },
]

// Azure has no presigned URLs with Signature Version 4. The other vendors have.
const CLOSED_STORAGES = ['Azure Storage'] as const

// Hosts that no presigned URL opens.
const CLOSED: readonly { readonly hosts: RegExp; readonly problem: string }[] = [
  {
    hosts: /(^|\.)s3-website[.-][\w-]+\.amazonaws\.com(\.cn)?$/,
    problem: 'website endpoints are public; use BUCKET.s3.REGION.amazonaws.com',
  },
  { hosts: /\.s3-global\.amazonaws\.com$/, problem: 'Multi-Region Access Points take SigV4A only' },
  {
    hosts: /(^|\.)console\.aws\.amazon\.com$/,
    problem: 'this is an address of the console; use BUCKET.s3.REGION.amazonaws.com',
  },
  { hosts: /[.-]cn-[a-z]+-\d+\.(vpce\.)?amazonaws\.com$/, problem: 'hosts of regions in China end in .amazonaws.com.cn' },
  {
    hosts: /^(?!.*[.-]cn-[a-z]+-\d+\.(vpce\.)?amazonaws).*\.amazonaws\.com\.cn$/,
    problem: 'hosts that end in .amazonaws.com.cn are those of regions in China',
  },
  {
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/transfer-acceleration.html
    hosts: /^(.+\..+\.)?s3-accelerate\.(dualstack\.)?amazonaws\.com$/,
    problem: 'acceleration needs the bucket in the host, and a bucket without dots in its name',
  },
  {
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html
    hosts: /^s3-(accesspoint(-fips)?|object-lambda|outposts)\.[\w.-]*amazonaws\./,
    problem: 'the host begins with the access point: NAME-ACCOUNT.s3-accesspoint.REGION.amazonaws.com',
  },
  {
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html
    hosts: /^(?!.*--(?<zone>[\w-]+)--xa?-s3\.s3express-(fips-)?\k<zone>\.)(.*\.)?s3express-(?!control)/,
    problem: 'the host of a directory bucket has its zone twice: NAME--ZONE--x-s3.s3express-ZONE.REGION.amazonaws.com',
  },
  {
    hosts: /--xa?-s3\.s3(?!express-)[\w.-]*\.amazonaws\./,
    problem: 'a directory bucket has the host NAME--ZONE--x-s3.s3express-ZONE.REGION.amazonaws.com',
  },
  {
    hosts: /\.cdn\.digitaloceanspaces\.com$/,
    problem: 'the CDN of Spaces takes links for SPACE.REGION.digitaloceanspaces.com; sign that host, and replace it in the link',
  },
  { hosts: /\.r2\.dev$/, problem: 'these addresses of R2 are public; use ACCOUNT.r2.cloudflarestorage.com/BUCKET' },
  { hosts: /^f\d+\.backblazeb2\.com$/, problem: 'this is an address of the B2 API; use s3.REGION.backblazeb2.com/BUCKET' },
  {
    hosts: /^link(\.[\w-]+)?\.storjshare\.io$/,
    problem: 'these addresses of Storj have links of their own; use gateway.storjshare.io/BUCKET',
  },
  {
    hosts: /(^|\.)((storage|console)\.cloud\.google\.com|firebasestorage\.googleapis\.com)$/,
    problem: 'this address takes no signed URLs; use storage.googleapis.com/BUCKET',
  },
]
