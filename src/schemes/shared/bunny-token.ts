// Where Bunny's links have their parameters: in the query, or in front of the path.
import type { Parts } from '../../lib/url.ts'
import { type Parameters, parametersOf } from './bunny-parameters.ts'

/** The token itself. All other parameters are signed. */
export const TOKEN: readonly string[] = ['token', 'expires']
/** The other parameters of the link's own. */
export const OWN: readonly string[] = ['token_countries', 'token_countries_blocked', 'token_path', 'token_ignore_params', 'limit']
// With `token_ignore_params`, only these parameters are signed.
const IGNORING = ['token', 'expires', 'token_path', 'token_ignore_params']

/** The parameters of a request, and its path without the token. */
export interface Presented extends Parameters {
  readonly path: string
  /** Whether the query of the URL is not covered. */
  readonly ignores: boolean
}

/** Finds the parameters of a link in its query, and in front of its path, where Bunny's directory form has them. */
export function presented({ path, query }: Parts, generation: 'hs256' | 'sha256' | 'md5'): Presented {
  if (generation === 'md5') return { ...parametersOf(query, TOKEN), path, ignores: false }
  const [segment = '', inPath] = /^\/bcdn_(token=[^/]*)/.exec(path) ?? []
  const whole = inPath ? `?${inPath}${query.replace('?', '&')}` : query
  const all = parametersOf(whole)
  const ignores = generation === 'hs256' && all.parameters.some(({ name, value }) => name === 'token_ignore_params' && value === 'true')
  return { ...(ignores ? parametersOf(whole, IGNORING) : all), path: path.slice(segment.length) || (segment && '/'), ignores }
}
