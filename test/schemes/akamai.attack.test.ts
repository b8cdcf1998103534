// akamai under attack: fields that another spelling of a delimiter would hide.
import { expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { akamai } from '../../src/schemes/akamai.ts'

const key = { secret: 'aabbccddeeff00112233445566778899' }
const now = () => new Date('2030-01-01T00:00:00Z')

// Signers that do not escape sign a `|` as it is, and clients send it as %7C. So both spellings have one signature.
test.each(['id', 'data'])('with the delimiter |, an escaped one does not hide the field %s', async (field) => {
  const links = akamai(key, { fieldDelimiter: '|' })
  const conditions = { expires: '1h', acl: ['/x/*', '/y/*'], id: 'five', data: 'six' } as const
  const link = await sign(links, 'https://e.example/x/1.ts', conditions, { now })
  expect(await verify(links, link, { now })).toMatchObject({ ok: true, claims: { id: 'five', data: 'six' } })
  expect((await verify(links, link.replace(`|${field}=`, `%7C${field}=`), { now })).reason).toBe('bad_signature')
})

test('with the ACL delimiter |, an escaped one does not join two patterns', async () => {
  const links = akamai(key, { aclDelimiter: '|' })
  const link = await sign(links, 'https://e.example/x/1.ts', { expires: '1h', acl: ['/x/1.ts', '/y/*'] }, { now })
  expect((await verify(links, link, { now })).ok).toBe(true)
  const joined = link.replace('/x/1.ts|', '/x/1.ts%7C').replace('/x/1.ts?', '/x/1.ts%7C/y/?')
  expect((await verify(links, joined, { now })).reason).toBe('bad_signature')
})
