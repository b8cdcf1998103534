// The fuzzer: it signs grants, changes the links and their requests, shows them to verifiers, and asks the oracle about each verdict.
import { type Accepted, inspect, LinkError, redeem, sign, type Verdict, verify } from '../../src/index.ts'
import { type Draft, draftOf, mangle, mutate, reread, textOf } from './mutate.ts'
import { fault } from './oracle.ts'
import { type Conditions, type Issued, type Profile, signer, type Visit } from './profile.ts'
import { PROFILES, VERIFIERS, type Verifier } from './profiles.ts'
import { Random } from './random.ts'
import { targetOf } from './readings.ts'
import { NOW } from './words.ts'

/** An error that was found, with everything that is needed to reproduce it. */
export interface Finding {
  /** Runs the same world again: `--seed` of the run, and the number of the world. */
  readonly seed: number
  readonly world: number
  readonly verifier: string
  /** The field. */
  readonly what: string
  /** What was signed: profile, options, URL, conditions and link. */
  readonly grants: readonly object[]
  readonly visit: Partial<Visit>
  readonly changes: readonly string[]
  readonly verdict: object | string
}

export interface Report {
  inputs: number
  accepted: number
  /** Refused, but with a good signature. */
  trusted: number
  signed: number
  refusedGrants: number
  findings: Finding[]
  /** How often each kind of finding was seen. */
  kinds: Map<string, number>
  /** How often grants of a profile were refused by `sign`, by the message. */
  refusals: Map<string, number>
  /** By the label of the verifier. */
  byProfile: Map<string, { inputs: number; accepted: number }>
}

export interface Run {
  readonly seed: number
  readonly inputs: number
  /** Only this world. */
  readonly world?: number
  /** Default: all. */
  readonly profiles?: readonly Profile[]
  /** Only profiles whose label has this. */
  readonly only?: string
  /** Examples to keep of each kind of finding. */
  readonly examples?: number
}

const VISITS = 80
const now = (milliseconds: number) => () => new Date(milliseconds)

/** Runs worlds until so many requests were verified. A world is a few grants of the same keys, and requests made from their links. */
export async function fuzz({ seed, inputs, world, profiles: all = PROFILES, only = '', examples = 2 }: Run): Promise<Report> {
  const report: Report = {
    inputs: 0,
    accepted: 0,
    trusted: 0,
    signed: 0,
    refusedGrants: 0,
    findings: [],
    kinds: new Map(),
    refusals: new Map(),
    byProfile: new Map(),
  }
  const profiles = all.filter(({ label }) => label.includes(only))
  if (!profiles.length) throw new Error(`no profile has '${only}' in its label`)
  const start = world ?? 0
  for (let number = start; report.inputs < inputs; number++) {
    if (number - start >= 50 && report.signed === 0) throw new Error(`sign refuses all grants of ${profiles.map(({ label }) => label)}`)
    await oneWorld(
      new Random(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b)),
      profiles,
      (finding) => {
        const kind = `${finding.verifier.startsWith('anyOf') ? `anyOf ← ${(finding.grants[0] as { profile?: string })?.profile}` : finding.verifier}: ${finding.what}`
        const seen = report.kinds.get(kind) ?? 0
        report.kinds.set(kind, seen + 1)
        if (seen < examples) report.findings.push({ seed, world: number, ...finding })
      },
      report,
    )
    if (world !== undefined) break
  }
  return report
}

type Note = (finding: Omit<Finding, 'seed' | 'world'>) => void

async function oneWorld(random: Random, profiles: readonly Profile[], note: Note, report: Report): Promise<void> {
  const first = random.pick(profiles)
  const family = PROFILES.filter(({ family }) => family === first.family)
  const grants: Issued[] = []
  for (let tries = 0; tries < 12 && grants.length < 3; tries++) {
    const profile = !grants.length || random.chance(0.6) ? first : random.pick(family)
    const asked = profile.grant(random)
    // Links that differ in one thing splice best.
    const [before] = grants
    const similar =
      before && random.chance(0.4) && before.profile === profile
        ? {
            url: random.chance(0.5) ? before.url : asked.url,
            conditions: { ...before.conditions, ...(random.chance(0.5) && asked.conditions) },
          }
        : asked
    const issued = await issue(profile, similar, note, report)
    if (issued) grants.push(issued)
    else report.refusedGrants++
  }
  report.signed += grants.length
  const [own] = grants
  if (!own) return

  // Also those of the same keys that have other options, or keys that end sooner.
  const relatives = VERIFIERS.filter(({ members }) => members.some(({ family }) => family === first.family))
  const keyTimes = family.flatMap(({ ring }) => ring.flatMap((key) => [key.starts, key.expires].flatMap((date) => (date ? [+date] : []))))
  await Promise.all(
    Array.from({ length: VISITS }, async (_, index) => {
      // Each request has a generator of its own, so that the order of awaits changes nothing.
      const own = new Random(random.below(2 ** 32))
      const issued = own.pick(grants)
      const changes: string[] = []
      let draft: Draft = draftOf(issued, grants, keyTimes)
      if (index >= grants.length) for (let count = own.pick([1, 1, 1, 2, 2, 3]); count > 0; count--) changes.push(mutate(draft, own))
      if (index >= grants.length && own.chance(0.08)) {
        draft = reread(draft, mangle(own, textOf(draft)))
        changes.push('mangle')
      }
      const untouched = index < grants.length ? grants[index] : undefined
      if (untouched) draft = draftOf(untouched, grants)
      const mine = relatives.filter(({ members }) => members.includes((untouched ?? issued).profile))
      const verifier = own.chance(0.75) || untouched ? (mine[0] as Verifier) : own.chance(0.8) ? own.pick(relatives) : own.pick(VERIFIERS)
      await show(draft, verifier, { grants, changes, untouched, random: own, note, report })
    }),
  )
}

/** Signs a grant. `undefined` if `sign` refuses it, as it may. */
async function issue(
  profile: Profile,
  asked: { url: string; conditions: Conditions },
  note: Note,
  report: Report,
): Promise<Issued | undefined> {
  const finding = (what: string, verdict: object | string) =>
    note({
      verifier: profile.label,
      what,
      verdict,
      visit: {},
      changes: [],
      grants: [{ profile: profile.label, options: profile.options, ...asked }],
    })
  try {
    const link = await sign(profile.scheme, asked.url, asked.conditions as never, { now: now(NOW) })
    const target = { ...targetOf(link), fragment: '' }
    const signature = profile.signatureOf(target)
    // The shortest that some vendor writes has six bytes.
    if (signature.length < 8) finding('sign: the link has no signature', link)
    const signed = signer(profile.ring, asked.conditions, NOW)
    if (!signed) {
      finding('sign: no key is in time', link)
      return
    }
    return { profile, ...asked, link, target, signature, ...signed }
  } catch (error) {
    if (!(error instanceof LinkError)) finding('sign: throws what is not a LinkError', String(error))
    else if (/another secret that|0123456789abcdef0123/.test(error.message)) finding('sign: a secret in a message', error.message)
    const refusal = `${profile.label}: ${error instanceof Error ? error.message : error}`
    report.refusals.set(refusal, (report.refusals.get(refusal) ?? 0) + 1)
    return
  }
}

interface Showing {
  readonly grants: readonly Issued[]
  readonly changes: readonly string[]
  /** The grant, if the link is as it was signed: then it must open. */
  readonly untouched: Issued | undefined
  readonly random: Random
  readonly note: Note
  readonly report: Report
}

/** Shows a request to a verifier, as a string, a URL or a Request. */
async function show(draft: Draft, verifier: Verifier, { grants, changes, untouched, random, note, report }: Showing): Promise<void> {
  const text = textOf(draft)
  const visited = random.chance(0.05) ? asObject(text, draft.method, random) : text
  const url = typeof visited === 'string' ? visited : visited instanceof URL ? visited.href : visited.url
  const visit: Visit = {
    url,
    target: targetOf(url),
    method: (draft.method || 'GET').toUpperCase(),
    ip: draft.ip,
    headers: draft.headers,
    now: draft.now,
    tolerance: draft.tolerance,
  }
  const finding = (what: string, verdict: object | string) =>
    note({
      verifier: verifier.label,
      what,
      verdict,
      visit: { ...visit, target: undefined as never },
      changes,
      grants: grants.map(({ profile, url, conditions, link }) => ({
        profile: profile.label,
        options: profile.options,
        url,
        conditions,
        link,
      })),
    })
  report.inputs++
  const taken: { id: string; until: Date; uses: number }[] = []
  const options = {
    now: now(draft.now),
    tolerance: `${draft.tolerance}s` as const,
    headers: draft.headers,
    ...(draft.ip !== undefined && { ip: draft.ip }),
    ...(typeof visited === 'string' || visited instanceof URL || random.chance(0.5) ? { method: draft.method || 'GET' } : {}),
  }
  let verdict: Verdict
  try {
    verdict = random.chance(0.2)
      ? await redeem(verifier.scheme, visited, {
          ...options,
          store: {
            take(id, until, uses) {
              taken.push({ id, until, uses })
              return true
            },
          },
        })
      : await verify(verifier.scheme, visited, options)
    const said = inspect(verifier.scheme, url)?.unverified
    // Links of some schemes can lack an expiry. An invalid date is never correct, because callers cannot use it.
    if (said?.expires && Number.isNaN(+said.expires)) finding('inspect: an invalid date', {})
  } catch (error) {
    finding('throws', error instanceof Error ? `${error.name}: ${error.message}` : String(error))
    return
  }
  const { ok, claims } = verdict
  if (ok) report.accepted++
  else if (claims) report.trusted++
  const counted = report.byProfile.get(verifier.label) ?? { inputs: 0, accepted: 0 }
  counted.inputs++
  if (ok) counted.accepted++
  report.byProfile.set(verifier.label, counted)

  const wrong = fault(verdict, verifier, visit, grants)
  if (wrong) return finding(wrong, verdict)
  const mayRefuse = ['needs_redeem', 'wrong_method', 'too_early', ...(untouched?.profile.refused?.(untouched) ?? [])]
  if (untouched && !ok && !mayRefuse.includes(verdict.reason)) finding(`sign made a link that is refused: ${verdict.reason}`, verdict)
  for (const { id, until, uses } of taken)
    if (id !== claims?.id || uses !== claims.uses || +until < +(claims as Accepted['claims']).expires)
      finding('redeem: another use than the one that was granted', { id, until, uses })
}

/** As an object, if there can be one. */
function asObject(text: string, method: string, random: Random): string | URL | Request {
  try {
    const url = new URL(text)
    return random.chance(0.5) ? url : new Request(url, { method })
  } catch {
    return text
  }
}
