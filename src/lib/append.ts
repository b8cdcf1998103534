// Parameters onto a URL. What the URL had stays byte for byte as it was.
import { encodeValue, split } from './text.ts'

/** Appends what has a value to the query, or puts it into the first path segment. */
export function append(url: string, parameters: readonly (readonly [name: string, value: string | undefined])[], inPath = false): string {
  const pairs = parameters.flatMap(([name, value]) => (value ? [`${name}=${encodeValue(value)}`] : []))
  const { origin, path, query, fragment } = split(url)
  // `~` stands for `%` in a path: servers refuse or decode `%2F` there.
  if (inPath) return `${origin}/${pairs.join().replaceAll('~', '%7E').replaceAll('%', '~')}${path}${query}${fragment}`
  const [before = ''] = url.split('#', 1)
  return `${before}${query ? '&' : '?'}${pairs.join('&')}${fragment}`
}
