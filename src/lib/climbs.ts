// climbs: finds dot segments in a path that only some servers see, because they decode the path late or twice.

import { normal } from './normalise.ts'
import { hasDotSegment } from './request-target.ts'

/**
 * Does this path have a segment `.` or `..` after decoding? Servers differ in the order in which they resolve dot segments, decode (some twice),
 * merge `//`, and cut off the text after a `;`, `?` or `#`. So `/a/..%2fb` can be one path to the signature and another to a file system.
 *
 * The verbs refuse only the dot segments that `hasDotSegment` finds in the path as it was sent. This function also checks the decoded path.
 */
export function climbs(path: string): boolean {
  // In normal form, because a path that is decoded twice may have its digits escaped: `%25%32%65` is `%2e`, and then a dot.
  const decoded = normal(path)
    .replace(/%(25)+/g, '%')
    .replace(/%(2e|2f|5c|3b|3f|23)/gi, (_, hex) => String.fromCharCode(+`0x${hex}`))
  // `\` separates segments as `/` does, and `?` and `#` end one as `;` does.
  return hasDotSegment(decoded.replaceAll('\\', '/').replace(/[?#]/g, ';'))
}
