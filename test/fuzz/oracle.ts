// The oracle: a verdict with claims must be explained by a grant. The grant is the one whose signature the request has, and every field that the
// scheme's `covers` names must be in the request as it was granted.
import type { Verdict } from '../../src/index.ts'
import { type Issued, keyOf, type Profile, type Visit } from './profile.ts'
import type { Verifier } from './profiles.ts'
import { bytesOf, impossible } from './readings.ts'

const UNTRUSTED = ['unsigned', 'malformed', 'unknown_key', 'bad_signature']
const TRUSTED = ['wrong_path', 'wrong_method', 'wrong_ip', 'expired', 'key_expired', 'too_early', 'revoked', 'needs_redeem', 'used']

/** The field that makes a verdict wrong, or nothing. */
export function fault(verdict: Verdict, verifier: Verifier, visit: Visit, grants: readonly Issued[]): string | undefined {
  const { ok, claims, reason, status } = verdict
  if (ok ? reason !== undefined || !claims : !(status && status >= 400 && status < 500)) return 'verdict: its shape'
  if (!ok && !UNTRUSTED.includes(reason) && !TRUSTED.includes(reason)) return `verdict: the reason ${reason}`
  if (!ok && (claims !== undefined) !== TRUSTED.includes(reason)) return 'verdict: claims without a trusted reason, or the reverse'
  if (wrongParameter(verdict, verifier)) return 'verdict: its parameter'
  if (!claims) return

  if (otherHost(claims.resource, visit.target.origin)) return 'claims.resource names another host'

  const form = impossible(visit.target)
  // Servers disagree about these, so there is nothing more to compare.
  if (form && form !== 'fragment') return `form: ${form}`

  const decoded = bytesOf(visit.url) + bytesOf(visit.url.replaceAll('~', '%'))
  const issuers = grants.filter(({ signature, profile }) => {
    // The second half of a signature of hmac covers the address. It is compared last, so any refusal can come before.
    const needed = !ok && profile.halves ? signature.slice(0, 43) : signature
    // Some schemes take a signature in two spellings, such as base64 and base64url, so it is also compared as it was read.
    return needed && (decoded.includes(needed) || profile.signatureOf(visit.target) === signature)
  })
  // A signature in its own parameter explains a verdict better than one in another parameter.
  const inPlace = (issued: Issued): number => Number(issued.profile.signatureOf(visit.target) === issued.signature)
  issuers.sort((a, b) => inPlace(b) - inPlace(a))
  if (!issuers.length) return 'signature: no grant has it'
  let first: string | undefined
  for (const issued of issuers) {
    const wrong = unexplained(verdict, verifier, visit, issued)
    if (!wrong) {
      if (form) return `form: ${form}`
      return issued.profile.plainCharacters && !/^[!-~]*$/.test(visit.url) ? 'form: a character beyond ~' : undefined
    }
    first ??= wrong
  }
  return first
}

// Parameters that Azure gives a meaning to, although they are not the link's own.
const OTHERS = ['comp', 'restype', 'snapshot', 'versionid', 'sharesnapshot']

/** `parameter` names the one that makes a link malformed, and is one of the link's own, or a name that servers read as one, such as `id[]`. */
function wrongParameter({ reason, parameter }: Verdict, { members }: Verifier): boolean {
  if (parameter === undefined) return false
  // The characters of `[`, and of what PHP drops in front.
  const name = bytesOf(parameter).replace(/^ +|[[\0].*$/gs, '')
  return reason !== 'malformed' || !(OTHERS.includes(name) || members.some(({ parameters }) => parameters.includes(name)))
}

/** Does a client that resolves the resource behind the request's own URL come to another host? */
function otherHost(resource: string, origin: string): boolean {
  // A port beyond 65535 is one to `verify`, and not to URL.
  const sent = [origin, origin.replace(/:\d+$/, '')].find((each) => URL.canParse(each))
  const base = new URL(sent ?? 'https://base.example')
  if (!URL.canParse(resource, base.href)) return false
  const { hostname, port } = new URL(resource, base.href)
  // A resource may leave out the host, or the port, where the scheme does not cover them.
  return hostname !== base.hostname || (port !== '' && port !== base.port)
}

/** The first field of a verdict that this grant does not explain. */
function unexplained(verdict: Verdict, verifier: Verifier, visit: Visit, issued: Issued): string | undefined {
  const maker = issued.profile
  // Several profiles of one scheme can have made the verdict. Links do not tell their options, so any of them may explain it.
  const members = verifier.members.filter(({ scheme, family }) => scheme.name === maker.scheme.name && family === maker.family)
  const ordered = [...members].sort((a, b) => Number(b === maker) - Number(a === maker))
  if (verdict.ok && verdict.scheme !== maker.scheme.name) return `scheme: ${verdict.scheme} in place of ${maker.scheme.name}`
  let first: string | undefined
  for (const profile of ordered) {
    const wrong = wrongField(verdict, profile, visit, issued)
    if (!wrong) return
    first ??= wrong
  }
  return first ?? 'scheme: none of them has these keys'
}

function wrongField(verdict: Verdict, profile: Profile, visit: Visit, issued: Issued): string | undefined {
  const { ok, reason, claims } = verdict
  if (!claims) return
  const { scheme, fields, always } = profile
  // A refusal says itself which of the conditions is not met.
  const excused = {
    wrong_path: profile.prefixHasOrigin
      ? /^(path|claims.resource|scheme|host)/
      : /^(path|claims.resource path|resource type|service|protocol)/,
    wrong_method: /^(method|permissions)/,
    wrong_ip: /^ip/,
    too_early: /^early/,
  }
  const excuse = excused[reason as keyof typeof excused]
  const named = scheme.covers.map((word) => ({ word: String(word), check: fields[word] }))
  const unknown = named.find(({ check }) => !check)
  if (unknown) return `covers: the oracle has no check for '${unknown.word}'`
  for (const check of [...named.map(({ check }) => check), ...always]) {
    const wrong = check?.(issued, visit, claims, profile)
    // Refusals are checked in order, so what is checked later than the reason may be wrong, too.
    if (wrong && !(excuse?.test(wrong) || (!ok && laterThan(reason, wrong)))) return wrong
  }
  if (ok && profile.oneSpelling && !visit.url.includes(issued.signature)) return 'signature: a second spelling'

  const opens = profile.methods(issued, visit).includes(visit.method.toUpperCase())
  if (ok && !opens) return 'method'
  if (reason === 'wrong_method' && opens && scheme.name !== 'azure') return 'wrong_method, but the method is granted'

  const tolerance = Math.min(visit.tolerance, 300) * 1000
  const end = +(profile.endless ? claims.expires : issued.end) + tolerance + (scheme.validAtExpiry ? 1000 : 0)
  if (ok && visit.now >= end) return 'expires: it is over'
  const key = keyOf(profile, issued.key)
  if (!key) return 'key: it is not on the keyring'
  const keyIsOver = key.expires !== undefined && visit.now >= +key.expires + tolerance
  if (ok && keyIsOver) return 'key: it is over'
  if (ok && key.expires && claims.expires > key.expires) return 'claims.expires is later than the end of the key'
  if (reason === 'key_expired' && !keyIsOver) return 'key_expired, but the key is in time'
  if (reason === 'expired' && visit.now < end) return 'expired, but it is in time'
  return
}

const ORDER = ['wrong_path', 'wrong_method', 'wrong_ip', 'expired', 'key_expired', 'too_early']

function laterThan(reason: string, wrong: string): boolean {
  const kind = /^(ip|address)/.test(wrong)
    ? 'wrong_ip'
    : /^(method|permissions)/.test(wrong)
      ? 'wrong_method'
      : /^early/.test(wrong)
        ? 'too_early'
        : undefined
  return kind !== undefined && ORDER.includes(reason) && ORDER.indexOf(kind) > ORDER.indexOf(reason)
}
