// Why a link cannot be read: which parameter is wrong, and what it must look like. It needs no key.
import type { Scheme } from '../core/scheme.ts'
import type { Refused } from '../core/verdict.ts'
import { hasDotSegment, looksLikeHost } from '../lib/request-target.ts'
import { isDecodable, LONGEST, split } from '../lib/url.ts'
import { recognise } from '../recognise/reader.ts'
import { sourcesOf } from '../recognise/sources.ts'
import type { Attempt } from './attempt.ts'
import type { Mistake } from './mistake.ts'
import { piecesOf } from './rules/parts.ts'
import { PADDING, PLUS } from './spelling.ts'
import type { Table } from './table.ts'

/**
 * Explains a link that was refused as `malformed`.
 *
 * @param isRight - The signature is right, and only its spelling in the URL is not.
 */
export function explainMalformed(attempt: Attempt, table: Table | undefined, { parameter }: Refused, isRight: boolean): Mistake {
  const { scheme, url } = attempt
  if (parameter === undefined) return explainUrl(url)
  const cookies = cookiesNamed(parameter, attempt)
  const values = [...piecesOf(url).filter(({ name }) => name.toLowerCase() === parameter.toLowerCase()), ...cookies]
  const form = formOf(parameter, scheme, table)
  const remedy = form ? `${parameter} must be ${form}.` : `Pass ${parameter} on as the signer wrote it.`
  const kind = cookies.length > 0 ? 'cookie' : 'parameter'
  const fault = (code: string, what: string): Mistake => ({ code, parameter, sentence: `The ${kind} ${parameter} ${what}.`, remedy })
  const value = values[0]?.value
  if (value === undefined) return missing(attempt, fault)
  if (values.length > 1) return fault('parameter_twice', `occurs ${values.length === 2 ? 'twice' : `${values.length} times`}`)
  if (value === '') return fault('parameter_empty', 'has no value')
  if (/^(undefined|null|NaN|None|\[object Object\])$/.test(value)) {
    return {
      ...fault('no_value', `has the text "${value}": the program that wrote it had no value for it`),
      remedy: `Check what the signer returned, and leave out what it did not return. ${remedy}`,
    }
  }
  if (!isDecodable(value)) return fault('parameter_escape', 'has a "%" that begins no escape, or bytes that are not UTF-8')
  // No other text of base64 has one that is not escaped.
  if (isRight && /\+|%20| /.test(value)) return { ...fault('signature_plus', ''), ...PLUS }
  if (isRight) return { ...fault('signature_padding', ''), ...PADDING }
  if (/^[12]\d{12}$/.test(value)) return milliseconds(parameter)
  if (/^[12]\d{9}[.,]\d+$/.test(value)) {
    return {
      ...fault('fraction', 'has a fraction of a second'),
      remedy: `Round it: ${parameter} is in whole seconds. In JavaScript: Math.floor(Date.now() / 1000) + lifetime.`,
    }
  }
  if (/^\d{4}-?\d\d-?\d\d|^[A-Z][a-z]{2}[ ,+%]/.test(value) && form?.startsWith('a time in seconds'))
    return fault('date_for_seconds', 'is a date, and the scheme has a number of seconds there')
  if (/%(0A|0D|20|09)|\s/i.test(value)) return fault('white_space', 'has white space or a line break in it')
  if (/^\d{10}$/.test(value) && form?.startsWith('a number of seconds'))
    return fault('time_for_duration', 'is a time, and the scheme has a duration there')
  return fault('parameter_form', `has ${value.length} characters and not the form that the scheme writes`)
}

/** A time in milliseconds, where the scheme has seconds. */
export const milliseconds = (parameter: string, field: string = parameter): Mistake => ({
  code: 'milliseconds',
  parameter,
  sentence: `The ${field === parameter ? 'parameter' : 'field'} ${field} is a time in milliseconds.`,
  remedy: `Divide by 1000 and round: ${field} is in seconds. In JavaScript: Math.floor(Date.now() / 1000) + lifetime.`,
})

/** The cookies of this name. */
function cookiesNamed(name: string, { headers }: Attempt): readonly { readonly value: string }[] {
  const cookies = headers['cookie']?.split(/;\s*/) ?? []
  return cookies.filter((cookie) => cookie.startsWith(`${name}=`)).map((cookie) => ({ value: cookie.slice(name.length + 1) }))
}

/** The URL of the request has no host, and the signature covers it. */
export function withoutHost({ scheme, url, headers }: Attempt): Mistake | undefined {
  if (!scheme.covers.includes('host') || split(url).origin || headers['host']) return undefined
  return {
    code: 'host_missing',
    sentence: 'The signature covers the host, and the verifier got a path without one.',
    remedy: 'Verify the whole URL, with https:// and the host, or pass the header Host.',
  }
}

function missing({ url, scheme }: Attempt, fault: (code: string, what: string) => Mistake): Mistake {
  const isEscaped = /[?&;]amp;|&amp;|&#0*38;|&#x26;/i.test(url)
  if (isEscaped) return HTML_ESCAPED
  // Everything behind the first "&" is gone, and most schemes have several parameters.
  const { query } = split(url)
  if (!query.includes('&') && query.length > 1 && scheme.parameters.length > 1)
    return { ...fault('cut_at_ampersand', 'is missing, and so is everything behind the first "&"'), ...CUT_AT_AMPERSAND }
  // Several vendors have a parameter `expires`, so a link of another vendor may look like one that lacks a signature.
  const seen = schemesSeen(url)
  const isOurs = seen.flatMap(sourcesOf).some((source) => source.scheme === scheme.name)
  if (seen.length > 0 && !isOurs) return otherScheme(scheme, seen)
  return fault('parameter_missing', 'is missing')
}

const CUT_AT_AMPERSAND = {
  sentence: 'The link ends before its first "&": a shell takes an "&" as the end of the command.',
  remedy: 'Put the link into quotes: \'…\' in Unix shells and PowerShell, "…" in cmd. In a batch file, write each % as %% as well.',
}

const HTML_ESCAPED: Mistake = {
  code: 'html_escaped',
  sentence: 'The link has "&amp;" in place of "&", or another entity: it was escaped for HTML and is used outside of HTML.',
  remedy: 'Unescape the link where it is taken from HTML, or do not escape it where the page does so already.',
}

/** The form of a parameter. If the caller has renamed the parameters, they are in the same order. A cookie of CloudFront is one with a prefix. */
function formOf(parameter: string, { parameters }: Scheme, table: Table | undefined): string | undefined {
  const forms = table?.forms ?? {}
  const name = parameter.replace(/^CloudFront-/, '')
  if (Object.hasOwn(forms, name)) return forms[name]
  const all = Object.values(forms)
  return all.length >= parameters.length ? all[parameters.indexOf(parameter)] : undefined
}

/** Explains a URL that is malformed apart from the parameters of the link. */
function explainUrl(url: string): Mistake {
  const { path } = split(url)
  const fault = (code: string, sentence: string, remedy: string): Mistake => ({ code, sentence, remedy })
  if (url.length > LONGEST)
    return fault('too_long', `The URL has more than ${LONGEST} characters.`, 'Sign shorter URLs: browsers and proxies refuse long ones.')
  if (/^https?:\/\/(\/|$)/i.test(url))
    return fault(
      'no_host',
      'The URL has no host.',
      'Look for an empty header Host or X-Forwarded-Host: a proxy must pass it on only if it has a value.',
    )
  if (path[0] !== '/')
    return fault(
      'not_a_url',
      'The text is neither an absolute URL nor a path that starts with "/".',
      'Pass the URL of the request, or its path with the query.',
    )
  if (url.includes('#'))
    return fault(
      'fragment',
      'The URL has a "#". Clients do not send the text after it.',
      'Verify the URL without its fragment, and write a "#" in a path or a value as %23.',
    )
  if (/[\0-\x20\x7f]/.test(url))
    return fault(
      'white_space',
      'The URL has a space, a line break or a control character.',
      'Write a space as %20, and remove line breaks that a mail program added.',
    )
  if (path.includes('\\'))
    return fault('backslash', 'The path has a "\\", which many servers read as "/".', 'Write a "\\" as %5C, or use "/".')
  if (hasDotSegment(path))
    return fault(
      'dot_segments',
      'The path has a segment "." or "..", which clients resolve before they send.',
      'Sign the path without such segments.',
    )
  if (looksLikeHost(path))
    return fault(
      'two_slashes',
      'The path begins with two slashes, so clients would read the next segment as a host.',
      'Join host and path with one slash.',
    )
  if (/[^!-~]/.test(url))
    return fault('not_ascii', 'The URL has characters beyond ASCII.', 'Verify the URL as the client sent it, percent-encoded.')
  return fault(
    'unreadable',
    'The path or the query cannot be read. It may have a "%" that begins no escape.',
    'Write a "%" that begins no escape as %25.',
  )
}

/** The schemes that make such links. */
const schemesSeen = (url: string): readonly string[] => [recognise(url) ?? []].flat().map((one) => one.scheme)

function otherScheme(scheme: Scheme, seen: readonly string[]): Mistake {
  return {
    code: 'other_scheme',
    sentence: `The URL is not a link of ${scheme.name}. It looks like one of ${seen.join(' or ')}.`,
    remedy: 'Verify it with the scheme that signed it. anyOf() verifies links of several schemes.',
  }
}

/** Explains a URL that was refused as `unsigned`. */
export function explainUnsigned(url: string, scheme: Scheme): Mistake {
  const names = scheme.parameters.slice(0, 3).join(', ')
  if (/[?&;]amp;|&amp;|&#0*38;|&#x26;/i.test(url)) return HTML_ESCAPED
  const recognised = schemesSeen(url)
  const seen = recognised.filter((name) => name !== scheme.name)
  if (recognised.length > seen.length) {
    return {
      code: 'other_names',
      sentence: `The URL looks like a link of ${scheme.name}, and its parameters have other names than ${names}.`,
      remedy: 'Give the verifier the names that the signer uses, or sign with those of the verifier.',
    }
  }
  if (seen.length > 0) return otherScheme(scheme, seen)
  const { query, fragment } = split(url)
  if (scheme.parameters.some((name) => fragment.includes(`${name}=`))) {
    return {
      code: 'fragment',
      sentence: 'The parameters of the link stand behind a "#". Clients do not send them.',
      remedy: 'Append the parameters to the query, in front of the "#".',
    }
  }
  if (query.length > 1) {
    return {
      code: 'other_parameters',
      sentence: `The URL has parameters, but none of ${scheme.name}${names && `: ${names}`}.`,
      remedy: `Compare the names of the parameters: signer and verifier may have different options, or something on the way removed them${query.includes('&') ? '' : '. A shell ends a link that is not in quotes at its first "&"'}.`,
    }
  }
  return {
    code: 'no_parameters',
    sentence: names
      ? 'The URL has no query, so it is not a link, or its query was removed on the way.'
      : 'The path of the URL has no token.',
    remedy: 'Pass the URL as the client sent it, with its query. Routers and logs often have the path only.',
  }
}
