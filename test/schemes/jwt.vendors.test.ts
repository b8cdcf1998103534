// jwt beside jose, which Supabase Storage uses: the same tokens, byte for byte, and the same verdicts on their time and signature.
import { jwtVerify, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { jwt } from '../../src/schemes/jwt.ts'
import { randomly } from './shared/tamper.ts'

const NOW = 1_893_456_000
const random = randomly(20261127)
const of = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
const text = (pieces: readonly string[], most: number) => Array.from({ length: 1 + random() * most }, () => of(pieces)).join('')

test("300 random links have jose's tokens, and jose takes changed ones for valid when this does", async () => {
  for (let i = 0; i < 300; i++) {
    const algorithm = of(['HS256', 'HS384', 'HS512'] as const)
    const secret = text([...'abc:+/=0123ü'], 80).padEnd(64, '-')
    const name = `bucket/${text([...'ab1-_~()*!+,;=:@&$ü图 '], 12)}x`
    const data = of([{}, { scope: 'download' }, { user: 'ü"\\', list: [1, null, { a: true }] }])
    const exp = NOW + 1 + Math.floor(random() * 1e6)
    const path = `/storage/v1/object/sign/${name.split('/').map(encodeURIComponent).join('/')}`
    const bytes = new TextEncoder().encode(secret)
    const token = await new SignJWT({ url: name, ...data, iat: NOW, exp }).setProtectedHeader({ alg: algorithm }).sign(bytes)
    const links = jwt({ secret }, { algorithm })
    const issued = { now: () => new Date(NOW * 1000) }
    const link = await sign(links, path, { expires: new Date(exp * 1000), ...(Object.keys(data).length > 0 && { data }) }, issued)
    expect(link).toBe(`${path}?token=${token}`)

    const at = Math.floor(random() * token.length)
    for (const [other, now] of [
      [token, NOW],
      [token, exp - 1],
      [token, exp],
      [token.slice(0, at) + of([...'aA1_.']) + token.slice(at + 1), NOW],
    ] as const) {
      const currentDate = new Date(now * 1000)
      const theirs = await jwtVerify(other, bytes, { algorithms: [algorithm], currentDate }).then(
        () => true,
        () => false,
      )
      expect((await verify(links, `${path}?token=${other}`, { now: () => currentDate })).ok, other).toBe(theirs)
    }
  }
})
