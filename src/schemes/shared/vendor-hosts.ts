// Hosts of storages, by vendor. A link that is signed for the host of another vendor opens nothing, although its signature is right.
import { assertOption } from '../../core/errors.ts'
import { hostname, hostOf } from './storage-host.ts'

/** A vendor of a storage. */
export type StorageVendor =
  | 'Amazon S3'
  | 'Azure Storage'
  | 'Google Cloud Storage'
  | 'Alibaba Cloud OSS'
  | 'Tencent Cloud COS'
  | 'Huawei Cloud OBS'
  | 'Cloudflare R2'
  | 'Backblaze B2'
  | 'Wasabi'
  | 'DigitalOcean Spaces'

const HOSTS: Readonly<Record<StorageVendor, RegExp>> = {
  'Amazon S3': /(^|\.)s3[\w.-]*\.amazonaws\.(com(\.cn)?|eu)$/,
  'Azure Storage': /\.(core\.(windows\.net|chinacloudapi\.cn|usgovcloudapi\.net|cloudapi\.de)|storage\.azure\.net)$/,
  'Google Cloud Storage': /(^|\.)(storage[\w.-]*\.googleapis|commondatastorage\.googleapis|storage\.cloud\.google)\.com$/,
  'Alibaba Cloud OSS': /(^|[.-])oss[\w.-]*\.aliyuncs\.com$/,
  'Tencent Cloud COS': /(^|\.)cos[\w.-]*\.(myqcloud\.com|tencentcos\.cn)$/,
  'Huawei Cloud OBS': /(^|\.)obs[\w.-]*\.(myhuaweicloud\.(com|eu)|t-systems\.com)$/,
  'Cloudflare R2': /\.r2\.(cloudflarestorage\.com|dev)$/,
  'Backblaze B2': /(^|\.)backblazeb2\.com$/,
  Wasabi: /(^|\.)wasabisys\.com$/,
  'DigitalOcean Spaces': /\.digitaloceanspaces\.com$/,
}

/** Every vendor but these. */
export function allBut(...own: readonly StorageVendor[]): readonly StorageVendor[] {
  return (Object.keys(HOSTS) as StorageVendor[]).filter((vendor) => !own.includes(vendor))
}

/** Throws for a host of one of these vendors. All other hosts may be domains of your own. */
export function assertHostIsNotOf(vendors: readonly StorageVendor[], hostname: string): void {
  const vendor = vendors.find((each) => HOSTS[each].test(hostname))
  assertOption(!vendor, 'url', `one with a host that takes these links: this one belongs to ${vendor}`)
}

/**
 * Throws for a URL with the host of a storage, in place of that of the network that delivers its files: the storage does not know the network's links.
 *
 * @param origin - That of the URL; empty for a path.
 */
export function assertDelivered(origin: string): void {
  if (origin) assertHostIsNotOf(allBut(), hostname(hostOf(origin).toLowerCase()))
}
