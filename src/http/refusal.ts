// A Refused as an HTTP answer: problem details for HTTP APIs, RFC 9457.
import type { Refused } from '../core/verdict.ts'

const TITLES: Record<number, string> = {
  400: 'Bad Request',
  403: 'Forbidden',
  405: 'Method Not Allowed',
  410: 'Gone',
  503: 'Service Unavailable',
}

const DETAILS: Record<Refused['reason'], string> = {
  unsigned: 'This address opens with a signed link only.',
  malformed: 'The link cannot be read; it may have been cut off or changed on the way.',
  unknown_key: 'The link was signed with a key that is not in use here.',
  bad_signature: 'The signature does not match; the link may have been changed on the way.',
  expired: 'The link has expired.',
  key_expired: 'The key that the link was signed with has expired.',
  too_early: 'The link is not good yet.',
  wrong_method: 'The link is not for this method.',
  wrong_ip: 'The link is for another address.',
  wrong_path: 'The link is for another path.',
  revoked: 'The link has been revoked.',
  used: 'The link has been used.',
  needs_redeem: 'The link has a limited number of uses and cannot be opened in this way.',
}

/** The answer to a refused visit. It says why, and repeats nothing of the link. */
export function refusal(verdict: Refused, method?: string): Response {
  const { reason, status, claims } = verdict
  const allow = (claims?.methods ?? ['GET', 'HEAD']).flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]))
  return problem(status, DETAILS[reason], { reason }, method, reason === 'wrong_method' ? { allow: [...new Set(allow)].join(', ') } : {})
}

/** `application/problem+json`, never cached. */
export function problem(status: number, detail: string, more: object = {}, method = 'GET', headers: Record<string, string> = {}): Response {
  const body = JSON.stringify({ type: 'about:blank', title: TITLES[status] ?? 'Refused', status, detail, ...more })
  return new Response(method === 'HEAD' ? null : body, {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
  })
}
