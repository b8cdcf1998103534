// POST policies: the JSON that says what a form may upload. Writes and reads them, and checks the fields of an upload against them.
import type { PostCondition } from '../core/scheme.ts'
import { BASE64, decode, encode } from '../lib/encoding.ts'

/** A policy that was read. */
export interface Policy {
  /** In milliseconds since 1970. */
  readonly expires: number
  readonly conditions: readonly PostCondition[]
}

/** The longest policy that is read, in characters of base64. S3 takes forms of 20 KB at most, without the file. */
const LONGEST = 20_480

/** The policy as the field has it. */
export function encodePolicy(text: string): string {
  const base64 = encode(new TextEncoder().encode(text), BASE64)
  return base64.padEnd(Math.ceil(base64.length / 4) * 4, '=')
}

/** Reads the field. `undefined` for base64 in another spelling, and for a policy with something that would not be checked. */
export function decodePolicy(base64: string): Policy | undefined {
  if (base64.length > LONGEST || base64.length % 4) return undefined
  const bytes = new Uint8Array(base64.length)
  const length = decode(base64.replace(/={1,2}$/, ''), BASE64, bytes)
  const policy = length < 1 ? undefined : parsed(bytes.subarray(0, length))
  if (typeof policy !== 'object' || policy === null) return undefined
  const { expiration, conditions, ...others } = policy as Record<string, unknown>
  const expires = timeIn(expiration)
  const known = Object.keys(others).length === 0 && Array.isArray(conditions) && conditions.every(isCondition)
  return known && expires !== undefined ? { expires, conditions } : undefined
}

function parsed(bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    // Amazon's page allows policies to escape a dollar sign and a vertical tab. JSON does not.
    return JSON.parse(text.replace(/\\./gs, (escaped) => ({ '\\$': '$', '\\v': '\\u000b' })[escaped] ?? escaped))
  } catch {
    return undefined
  }
}

/** A time such as `2030-01-01T00:00:00Z`, optionally with milliseconds. Engines accept more forms, and differ in some of them. */
function timeIn(text: unknown): number | undefined {
  if (typeof text !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(text)) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}

function isCondition(condition: unknown): condition is PostCondition {
  if (!Array.isArray(condition)) {
    const entries = typeof condition === 'object' && condition !== null ? Object.entries(condition) : []
    return entries.length === 1 && entries.flat().every((text) => typeof text === 'string')
  }
  const [operator, first, second] = condition
  if (condition.length !== 3) return false
  if (operator === 'content-length-range') return isSize(first) && isSize(second)
  const isField = typeof first === 'string' && /^\$./.test(first)
  return (operator === 'eq' || operator === 'starts-with') && isField && typeof second === 'string'
}

const isSize = (size: unknown): boolean => Number.isSafeInteger(size) && (size as number) >= 0

/** A condition on a field. A policy can write one in several ways. */
export interface FieldCondition {
  /** In lower case. */
  readonly field: string
  readonly operator: 'eq' | 'starts-with'
  readonly value: string
}

/** The condition on a field. `undefined` for a condition on the size of the file. */
export function onField(condition: PostCondition): FieldCondition | undefined {
  if (!isList(condition)) {
    const [[field, value] = ['', '']] = Object.entries(condition)
    return { field: field.toLowerCase(), operator: 'eq', value }
  }
  const [operator, field, value] = condition
  return operator === 'content-length-range' ? undefined : { field: field.slice(1).toLowerCase(), operator, value }
}

/** The limits of the file's size, in bytes. `undefined` for a condition on a field. */
export function onSize(condition: PostCondition): { readonly min: number; readonly max: number } | undefined {
  if (!isList(condition)) return undefined
  const [operator, min, max] = condition
  return operator === 'content-length-range' ? { min, max } : undefined
}

const isList = (condition: PostCondition): condition is Exclude<PostCondition, Readonly<Record<string, string>>> => Array.isArray(condition)

/** Does the value of a field meet the condition? A missing field does not. */
export function meets(actual: string | undefined, { field, operator, value }: FieldCondition): boolean {
  if (actual === undefined) return false
  if (operator === 'eq') return actual === value
  // As with S3, each item of a list of content types must meet the condition.
  const items = field === 'content-type' ? actual.split(/, */) : [actual]
  return items.every((item) => item.startsWith(value))
}
