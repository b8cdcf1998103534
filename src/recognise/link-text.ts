// linkText: the text of a link that a caller passed.
import { assertOption } from '../core/errors.ts'

/**
 * The text of a string, of a `URL`, or of anything else with an `href`, such as an `<a>`.
 *
 * @throws A `LinkError` `bad_option` for other values, such as a `Request` or a promise.
 */
export function linkText(link: unknown): string {
  const text = (link as URL)?.href ?? link
  assertOption(typeof text === 'string', 'link', 'a string or a URL; await promises, and pass request.url')
  return text
}
