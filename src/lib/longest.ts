// The longest link. In a file of its own, because recognise needs nothing else of url.ts.

/** The longest link. Browsers, servers and proxies do not pass longer ones on. */
export const LONGEST = 16_384
