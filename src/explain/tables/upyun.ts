// Mistakes with token links of Upyun.
import { decodeValue, split } from '../../lib/url.ts'
import { SECRET_MARK } from '../attempt.ts'
import { rawValue } from '../rules/parts.ts'
import { rewrites } from '../rules/text.ts'
import type { Table } from '../table.ts'

export const UPYUN: Table = {
  schemes: ['upyun'],
  forms: {
    _upt: '8 hex digits in small letters, the middle of the MD5, and a time in seconds since 1970',
    _upp: 'a number of folders from 0 to 20, and no more than the path has',
  },
  rules: [
    {
      code: 'field_order',
      kind: 'text',
      rarity: 1,
      sentence: 'Secret, expiry and path were joined in another order, or without "&" between them.',
      remedy: 'Sign the secret, the expiry and the path, in this order, with "&" between them.',
      variants({ url }) {
        const path = decodeValue(split(url).path) ?? ''
        const etime = rawValue(url, '_upt')?.slice(8) ?? ''
        const texts = [
          `${SECRET_MARK}${etime}${path}`,
          `${SECRET_MARK}&${path}&${etime}`,
          `${path}&${etime}&${SECRET_MARK}`,
          `${etime}&${path}&${SECRET_MARK}`,
          `${etime}&${SECRET_MARK}&${path}`,
        ]
        return rewrites(...texts.map((text) => () => text))
      },
    },
    {
      code: 'folder',
      kind: 'text',
      rarity: 1,
      sentence: 'The whole path was signed, and _upp says that a folder was; or the folder was signed, and _upp is missing or wrong.',
      remedy: 'Sign the folder with its slash at the end, and write the number of its folders into _upp.',
      variants: ({ url }) => {
        const front = `${SECRET_MARK}&${rawValue(url, '_upt')?.slice(8)}&`
        const segments = (decodeValue(split(url).path) ?? '').split('/')
        const folders = segments.slice(0, 20).map((_, levels) => `${segments.slice(0, levels + 1).join('/')}/`)
        return rewrites(...[segments.join('/'), ...folders.reverse()].map((path) => () => front + path))
      },
    },
  ],
}
