// The URLs that are signed. Many different ones, because engines remember what they have found in a string.

const DIFFERENT = 1024

export const paths = Array.from({ length: DIFFERENT }, (_, i) => `/reports/2026/annual-report-${i}.pdf`)
export const urls = paths.map((path) => `https://cdn.example${path}?page=2`)

/** One of a list, for the number of a call. */
export const pick = (list, i) => list[i % DIFFERENT]

export const secret = '0123456789abcdef0123456789abcdef'

/** How long links are valid, in seconds. */
export const LIFE = 3600
