// Explanations of links that cannot be read, and of URLs that are not links.
import { describe, expect, test } from 'vitest'
import { explainMalformed, explainUnsigned } from '../../src/explain/unread.ts'
import { hmac, type Refused, type Scheme } from '../../src/index.ts'

const scheme = hmac([]) as unknown as Scheme
const inPath = hmac([], { placement: 'path' }) as unknown as Scheme
const forms = { expires: 'a number of seconds since 1970' }
const attempt = (url: string, by: Scheme = scheme) => ({ scheme: by, url, method: 'GET', ip: undefined, headers: {} })
const refused = (parameter?: string) => ({ ok: false, reason: 'malformed', status: 400, parameter }) as Refused
const table = { forms } as unknown as NonNullable<Parameters<typeof explainMalformed>[1]>

describe('a URL that is malformed apart from its parameters', () => {
  test.each([
    ['too_long', `/${'x'.repeat(16_384)}`],
    ['not_a_url', 'files.example/a'],
    ['fragment', '/a#b'],
    ['white_space', '/a b'],
    ['white_space', '/a\nb'],
    ['backslash', '/a\\b'],
    ['dot_segments', '/a/../b'],
    ['two_slashes', '//a/b'],
    ['not_ascii', '/ä'],
    ['unreadable', '/%'],
  ])('%s', (code, url) => {
    const mistake = explainMalformed(attempt(url), undefined, refused(), false)
    expect(mistake).toMatchObject({ code, sentence: expect.stringMatching(/\.$/), remedy: expect.stringMatching(/\.$/) })
    expect(mistake.parameter).toBe(undefined)
  })
})

describe('a parameter that cannot be read', () => {
  const explained = (url: string, parameter = 'expires') => {
    const { code, sentence, remedy } = explainMalformed(attempt(url), table, refused(parameter), false)
    return { code, sentence, remedy }
  }
  const remedy = 'expires must be a number of seconds since 1970.'

  test.each([
    ['parameter_missing', '/a?key=a&signature=x', 'is missing'],
    ['parameter_twice', '/a?expires=1&expires=2', 'occurs twice'],
    ['parameter_twice', '/a?expires=1&Expires=2&expires=3', 'occurs 3 times'],
    ['parameter_empty', '/a?expires=', 'has no value'],
    ['parameter_escape', '/a?expires=1%', 'has a "%" that begins no escape, or bytes that are not UTF-8'],
    ['white_space', '/a?expires=19000%200000', 'has white space or a line break in it'],
    ['time_for_duration', '/a?expires=1900000000', 'is a time, and the scheme has a duration there'],
    ['parameter_form', '/a?expires=soon', 'has 4 characters and not the form that the scheme writes'],
  ])('%s: %s', (code, url, what) => {
    expect(explained(url)).toEqual({ code, sentence: `The parameter expires ${what}.`, remedy })
  })

  test('milliseconds', () => {
    expect(explained('/a?expires=1900000000000')).toMatchObject({
      code: 'milliseconds',
      remedy: expect.stringContaining('Divide by 1000'),
    })
  })

  test('a link that was escaped for HTML', () => {
    expect(explained('/a?key=a&amp;expires=1')).toMatchObject({ code: 'html_escaped' })
    expect(explained('/a?key=a&expires=&amp;')).toMatchObject({ code: 'parameter_empty' })
  })

  test('whose form is not known', () => {
    expect(explainMalformed(attempt('/a?expires=soon'), undefined, refused('expires'), false).remedy).toBe(
      'Pass expires on as the signer wrote it.',
    )
    expect(explained('/a?odd=soon', 'odd').remedy).toBe('Pass odd on as the signer wrote it.')
  })

  test('that has another name with this caller: the forms are in the order of the parameters', () => {
    const renamed = { ...scheme, parameters: ['e'] }
    expect(explainMalformed(attempt('/a?e=soon', renamed), table, refused('e'), false).remedy).toBe(
      'e must be a number of seconds since 1970.',
    )
  })
})

describe('a URL that is not a link', () => {
  test.each([
    ['html_escaped', '/a?expires=1&amp;signature=2', scheme],
    ['other_parameters', '/a?b=c', scheme],
    ['no_parameters', '/a', scheme],
    ['no_parameters', '/a', inPath],
  ])('%s: %s', (code, url, given) => expect(explainUnsigned(url, given)).toMatchObject({ code }))

  test('of another scheme', () => {
    const presigned = `https://bucket.s3.amazonaws.com/a?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=${'0'.repeat(64)}`
    expect(explainUnsigned(presigned, scheme)).toMatchObject({
      code: 'other_scheme',
      sentence: 'The URL is not a link of hmac. It looks like one of s3.',
    })
  })

  test('says where its token would be', () => {
    expect(explainUnsigned('/a', scheme).sentence).toMatch(/^The URL has no query/)
    expect(explainUnsigned('/a', inPath).sentence).toBe('The path of the URL has no token.')
    expect(explainUnsigned('/a?b=c', scheme).sentence).toBe('The URL has parameters, but none of hmac: expires, starts, method.')
    expect(explainUnsigned('/a?b=c', inPath).sentence).toBe('The URL has parameters, but none of hmac.')
  })
})
