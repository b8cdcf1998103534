// Secrets for comparisons with packages of vendors, which sign with any text.

/** Is this a secret that no scheme refuses? Those with line breaks, and with white space, quotes or invisible characters at the ends, are refused. */
export function isClean(secret: string): boolean {
  return !/^[\s\p{Cf}"'“”‘’]|([\s\p{Cf}"'“”‘’]|\\[nr])$|\p{Cc}/u.test(secret)
}
