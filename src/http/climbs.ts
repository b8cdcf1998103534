// climbs: paths with a dot segment that only some servers see, because they decode the path late or twice.

import { normal } from '../lib/normalise.ts'
import { hasDotSegment } from '../lib/request-target.ts'

/**
 * Does this path have a segment `.` or `..` once it is decoded? Servers differ in what they do first: resolve dots, decode (some twice), merge `//`, or
 * cut off the text after a `;`, `?` or `#`. So `/a/..%2fb` is one file to the signature and another to a file system.
 *
 * The verbs refuse only what `hasDotSegment` finds in the path as it was sent. This looks at the decoded path, too.
 */
export function climbs(path: string): boolean {
  // In normal form, because a path that is decoded twice may have its digits escaped: `%25%32%65` is `%2e`, and then a dot.
  const decoded = normal(path)
    .replace(/%(25)+/g, '%')
    .replace(/%(2e|2f|5c|3b|3f|23)/gi, (_, hex) => String.fromCharCode(+`0x${hex}`))
  // `\` separates segments as `/` does, and `?` and `#` end one as `;` does.
  return hasDotSegment(decoded.replaceAll('\\', '/').replace(/[?#]/g, ';'))
}
