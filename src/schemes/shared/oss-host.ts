// The hosts of Alibaba Cloud OSS: the bucket and the region that they name.
import { assertOption } from '../../core/errors.ts'
import { canonicalPath } from './canonical-request.ts'
import { assertHostOf, VENDORS } from './s3v2-vendors.ts'
import { bucketToSign, hostname } from './storage-host.ts'

/** The path as it is signed: after the bucket. `undefined` for dot segments, broken escapes, and a host of another bucket. */
export function resourceOf(host: string, path: string, bucket: string | undefined): string | undefined {
  const front = bucketToSign(VENDORS.oss.hosts, host, { bucket })
  const canonical = canonicalPath(path)
  return front === undefined || canonical === undefined ? undefined : front + canonical
}

/** The same, to sign it. Throws for a host that no link opens. */
export function resourceToSign(host: string, path: string, bucket: string | undefined): string | undefined {
  assertHostOf(VENDORS.oss, host, bucket)
  return resourceOf(host, path, bucket)
}

/** The region to sign for. Throws if the host names another one, or if neither the host nor the option names one. */
export function regionToSign(host: string, ownRegion: string | undefined): string {
  const named = regionIn(host)
  assertOption(!ownRegion || !named || named === ownRegion, 'region', `'${named}', as in the host of the URL, or left out`)
  const region = ownRegion ?? named
  assertOption(region, 'region', 'given to ossV4(), because the host of the URL does not name it')
  return region
}

/** `cn-hangzhou` of `oss-cn-hangzhou.aliyuncs.com`, also of its internal host. Hosts for acceleration name no region. */
export function regionIn(host: string): string | undefined {
  return /(?:^|\.)(?:vpc100-)?oss-(?<region>[a-z]{2}-[a-z\d-]+?)(?:-internal)?\.aliyuncs\.com$/.exec(hostname(host))?.groups?.['region']
}
