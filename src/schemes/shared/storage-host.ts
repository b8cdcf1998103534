// The host of a storage: as it is signed, and with the bucket that it names.
import { isHost } from '../../lib/request-target.ts'

/** The host of an origin, with its port. */
export function hostOf(origin: string): string {
  return origin.slice(origin.indexOf('//') + 2)
}

/** The host of a request: that of its URL, or else that of its header. Empty if the header names none. */
export function requestedHost(origin: string, header?: (name: string) => string | undefined): string {
  if (origin) return hostOf(origin)
  const host = header?.('host')?.toLowerCase() ?? ''
  return isHost(host) ? host : ''
}

/**
 * The host without its port. Empty for a host of more than 253 characters: DNS names are not longer, and the regular expressions would take long for
 * one.
 */
export function hostname(host: string): string {
  const name = host.replace(/:\d+$/, '')
  return name.length > 253 ? '' : name
}

/** The place of the bucket, in the host or in the path. */
export interface BucketOptions {
  /** The bucket of all URLs. */
  readonly bucket?: string | undefined
  /** `true`: the path begins with the bucket, for every host. */
  readonly pathStyle?: boolean
}

/**
 * The bucket with its slash, as it is signed before the path; empty if the path has it. `undefined` for a host of another bucket.
 *
 * @param hosts - The hosts of the vendor, with a group `bucket`.
 */
export function bucketToSign(hosts: RegExp, host: string, { bucket, pathStyle = false }: BucketOptions): string | undefined {
  const ofVendor = hosts.exec(hostname(host))
  const named = ofVendor?.groups?.['bucket']
  if (bucket !== undefined) return ofVendor && named !== bucket ? undefined : `/${bucket}`
  return named && !pathStyle ? `/${named}` : ''
}
