// Times in links of nginxHmac: in seconds, or as ISO 8601 in a time zone.
import { assertOption } from '../../core/errors.ts'
import { numberOf } from './nginx-request.ts'

/** How the time of signing is written. */
export interface Zone {
  /** `unix`, `Z`, or an offset such as `+02:00`. */
  readonly name: string
  /** By how many seconds its clocks are ahead. */
  readonly ahead: number
}

/** Throws for a text that is not a time zone. */
export function zoneOf(name: string): Zone {
  if (name === 'unix') return { name, ahead: 0 }
  const ahead = Date.UTC(2000, 0) / 1000 - timeOf(`2000-01-01T00:00:00${name}`, false)
  const good = /^(Z|[+-]\d\d:\d\d)$/.test(name) && Math.abs(ahead) < 86_400
  assertOption(good, 'timestamp', "'unix', 'Z', or an offset such as '+00:00'")
  return { name, ahead }
}

/** A time in seconds as links have it. */
export function printTime({ name, ahead }: Zone, seconds: number): string {
  if (name === 'unix') return `${seconds}`
  return new Date((seconds + ahead) * 1000).toISOString().slice(0, '2000-01-01T00:00:00'.length) + name
}

// The module accepts fields of one digit, 29 February in any year, and a second 60, so valid links can have them.
const ISO =
  /^(?<year>\d{1,4})-(?<month>\d{1,2})-(?<day>\d{1,2})T(?<hour>\d{1,2}):(?<minute>\d{1,2}):(?<second>\d{1,2})(?:Z|(?<sign>[+-])(?<hours>\d{1,2}):(?<minutes>\d{1,2}))/

/** A time in seconds since 1970, as the module reads it: digits, or ISO 8601. 0 or less if the text is not a time. */
export function timeOf(text: string, trailing: boolean): number {
  const found = ISO.exec(text)
  if (!found) return numberOf(text)
  if (!trailing && found[0] !== text) return -1
  const fields = found.groups as Record<string, string | undefined>
  const field = (name: string, least: number, most: number): number => {
    const value = +(fields[name] ?? 0)
    return value >= least && value <= most ? value : Number.NaN
  }
  const date = Date.UTC(field('year', 1970, 9999), field('month', 1, 12) - 1, field('day', 1, 31))
  const seconds = field('hour', 0, 23) * 3600 + field('minute', 0, 59) * 60 + field('second', 0, 60)
  const offset = (field('hours', 0, 23) * 60 + field('minutes', 0, 59)) * 60
  const time = date / 1000 + seconds - (fields['sign'] === '-' ? -offset : offset)
  return Number.isNaN(time) ? -1 : time
}
