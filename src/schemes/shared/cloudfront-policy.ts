// The policies of CloudFront: JSON, in a base64 of CloudFront's own.
import { parseNetwork } from '../../lib/address.ts'
import { BASE64, decode, encode } from '../../lib/encoding.ts'

/** Times in seconds since 1970. */
export interface Policy {
  readonly resource: string
  readonly expires: number
  readonly starts?: number | undefined
  readonly ip?: string | undefined
}

/** A policy that the link shows. */
export interface CustomPolicy extends Policy {
  /** As the link has it: signers write their JSON as they like. */
  readonly text: string
}

/** The string to sign: the policy. A link with a canned policy does not show it, so its text has exactly this form. */
export function policyText({ resource, expires, starts, ip }: Policy): string {
  const condition = {
    DateLessThan: { 'AWS:EpochTime': expires },
    ...(starts && { DateGreaterThan: { 'AWS:EpochTime': starts } }),
    ...(ip && { IpAddress: { 'AWS:SourceIp': ip } }),
  }
  return JSON.stringify({ Statement: [{ Resource: resource, Condition: condition }] })
}

/** Reads a custom policy. A condition that is not known would not be checked, so it makes the policy unreadable. */
export function customPolicy(encoded: string): CustomPolicy | undefined {
  const text = decoded(encoded)
  const policy = text && parsed(text)
  const statements = policy?.Statement
  const statement = Array.isArray(statements) && statements.length === 1 ? statements[0] : undefined
  const { Resource: resource = '*', Condition: conditions } = statement ?? {}
  const expires = conditions?.DateLessThan?.['AWS:EpochTime']
  const starts = conditions?.DateGreaterThan?.['AWS:EpochTime']
  const ip = conditions?.IpAddress?.['AWS:SourceIp']
  const isKnown =
    hasOnly(policy, ['Statement']) &&
    hasOnly(statement, ['Resource', 'Condition']) &&
    hasOnly(conditions, ['DateLessThan', 'DateGreaterThan', 'IpAddress']) &&
    hasOnly(conditions.DateLessThan, ['AWS:EpochTime']) &&
    (!('DateGreaterThan' in conditions) || (hasOnly(conditions.DateGreaterThan, ['AWS:EpochTime']) && isTime(starts))) &&
    (!('IpAddress' in conditions) || (hasOnly(conditions.IpAddress, ['AWS:SourceIp']) && typeof ip === 'string' && parseNetwork(ip)))
  return text && isKnown && isTime(expires) && typeof resource === 'string' ? { resource, expires, starts, ip, text } : undefined
}

const isTime = (value: unknown): boolean => Number.isInteger(value) && (value as number) > 0 && (value as number) < 1e11

const hasOnly = (value: unknown, names: readonly string[]): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).every((name) => names.includes(name))

// biome-ignore lint/suspicious/noExplicitAny: JSON from a link; every part of it is checked
function parsed(text: string): any {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

// CloudFront writes base64 with `-`, `_` and `~` in place of `+`, `=` and `/`.

export const fromBase64 = (text: string): string => text.replaceAll('+', '-').replaceAll('=', '_').replaceAll('/', '~')
export const toBase64 = (text: string): string => text.replaceAll('-', '+').replaceAll('_', '=').replaceAll('~', '/')

/** A policy as a link has it. */
export function encodePolicy(policy: string): string {
  const text = encode(new TextEncoder().encode(policy), BASE64)
  return fromBase64(text.padEnd(Math.ceil(text.length / 4) * 4, '='))
}

/** The text of a policy. `undefined` for base64 in another spelling, and for bytes that are not UTF-8. */
function decoded(encoded: string): string | undefined {
  if (!/^[A-Za-z\d~-]+_{0,2}$/.test(encoded) || encoded.length % 4) return undefined
  const bytes = new Uint8Array(encoded.length)
  const length = decode(toBase64(encoded.replace(/_+$/, '')), BASE64, bytes)
  try {
    return length < 0 ? undefined : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length))
  } catch {
    return undefined
  }
}
