// sourcesOf: the schemes for the vendors that recognise names.
import { describe, expect, test } from 'vitest'
import { explainMalformed } from '../../src/explain/unread.ts'
import type { Refused, Scheme } from '../../src/index.ts'
import { sourcesOf } from '../../src/recognise/sources.ts'
import { recognise } from '../../src/recognise.ts'
import { gcsRsa } from '../../src/schemes/gcs-rsa.ts'
import { ossV4 } from '../../src/schemes/oss-v4.ts'
import { tencentCos } from '../../src/schemes/tencent-cos.ts'
import { schemes } from '../conformance/vectors/index.ts'

// `recognise` has no rule for links of the package `signed`.
const known = schemes.filter(({ vectors }) => vectors.scheme !== 'signed')

test.each(known.map(({ vectors }) => [vectors.scheme, vectors] as const))('%s is among the schemes of its links', (name, vectors) => {
  const links = vectors.testGroups.flatMap(({ tests }) => tests.map(({ link }) => link))
  const vendors = [...new Set(links.flatMap((link) => recognise(link) ?? []).map(({ scheme }) => scheme))]
  expect(vendors.some((vendor) => sourcesOf(vendor).some(({ scheme }) => scheme === name))).toBe(true)
})

test('a vendor without a scheme, and a name of every object', () => {
  expect(sourcesOf('discord')).toEqual([{ scheme: 'discord' }])
  expect(sourcesOf('constructor')).toEqual([{ scheme: 'constructor' }])
})

describe('explain says that a parameter is missing, and not that the link is of another scheme, with', () => {
  const hex = '0'.repeat(512)
  test.each<[string, Scheme, string, string]>([
    [
      'cos',
      tencentCos([]) as unknown as Scheme,
      'q-sign-algorithm',
      `https://b-1250000000.cos.ap-beijing.myqcloud.com/a?q-ak=AKID&q-sign-time=1767225600;1767229200&q-key-time=1767225600;1767229200&q-header-list=host&q-url-param-list=&q-signature=${hex.slice(0, 40)}`,
    ],
    [
      'oss',
      ossV4([]) as unknown as Scheme,
      'x-oss-signature-version',
      `https://b.oss-cn-hangzhou.aliyuncs.com/a?x-oss-credential=k%2F20260101%2Fcn-hangzhou%2Foss%2Faliyun_v4_request&x-oss-date=20260101T000000Z&x-oss-expires=60&x-oss-signature=${hex.slice(0, 64)}`,
    ],
    [
      'gcs',
      gcsRsa([]) as unknown as Scheme,
      'X-Goog-SignedHeaders',
      `https://storage.googleapis.com/b/o?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=a%2F20260101%2Fauto%2Fstorage%2Fgoog4_request&X-Goog-Date=20260101T000000Z&X-Goog-Expires=60&X-Goog-Signature=${hex}`,
    ],
  ])('%s', (vendor, scheme, parameter, url) => {
    expect([recognise(url)].flat()[0]?.scheme).toBe(vendor)
    const refused = { ok: false, reason: 'malformed', status: 400, parameter } as Refused
    const attempt = { scheme, url, method: 'GET', ip: undefined, headers: {} }
    expect(explainMalformed(attempt, undefined, refused, false)).toMatchObject({ code: 'parameter_missing', parameter })
  })
})
