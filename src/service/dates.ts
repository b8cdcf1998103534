// dateIn: a date that a caller wrote as text, in ISO 8601.

/** The date, or an invalid one. Engines read the 31st of February as a day in March, and the link would be valid for longer than anybody asked. */
export function dateIn(text: string): Date {
  const day = text.slice(0, '2030-01-31'.length)
  const exists = new Date(`${day}T00:00:00Z`).toJSON()?.startsWith(day)
  return new Date(exists ? text : Number.NaN)
}
