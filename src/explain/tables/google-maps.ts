// Mistakes with signed requests for the Google Maps Platform.
import { notLast } from '../rules/last-signature.ts'
import type { Table } from '../table.ts'

export const GOOGLE_MAPS: Table = {
  schemes: ['google-maps'],
  forms: { signature: '28 characters of base64url with the padding "=", and the last parameter' },
  rules: [notLast('signature')],
}
