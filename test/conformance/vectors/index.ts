// Every scheme with its vectors. Adding a scheme is one line in the list below and two imports; a test fails when a file is missing here.
import { hmac, type Reason, type Scheme } from '../../../src/index.ts'
import { type AzureKey, type AzureOptions, azure } from '../../../src/schemes/azure.ts'
import { gcs } from '../../../src/schemes/gcs.ts'
import { nginx } from '../../../src/schemes/nginx.ts'
import { nginxHmac } from '../../../src/schemes/nginx-hmac.ts'
import { pichax } from '../../../src/schemes/pichax.ts'
import { s3 } from '../../../src/schemes/s3.ts'
import azureVectors from './azure.json' with { type: 'json' }
import gcsVectors from './gcs.json' with { type: 'json' }
import hmacVectors from './hmac.json' with { type: 'json' }
import nginxVectors from './nginx.json' with { type: 'json' }
import nginxHmacVectors from './nginx-hmac.json' with { type: 'json' }
import pichaxVectors from './pichax.json' with { type: 'json' }
import s3Vectors from './s3.json' with { type: 'json' }

/** A vector file, as schema.json describes it. */
export interface Vectors {
  readonly scheme: string
  readonly numberOfTests: number
  readonly notes: Readonly<Record<string, object>>
  readonly testGroups: readonly Group[]
}

export interface Group {
  readonly options: object
  readonly keys: readonly { readonly id?: string; readonly secret: string; readonly starts?: string; readonly expires?: string }[]
  readonly inspectOnly?: true
  readonly tests: readonly Vector[]
}

export interface Vector {
  readonly id: number
  readonly comment: string
  readonly flags: readonly string[]
  readonly url?: string
  readonly conditions?: { readonly expires: string; readonly starts?: string }
  readonly signedAt?: string
  readonly canonical?: string
  readonly text?: string
  readonly link: string
  readonly anyOrder?: true
  readonly visit: {
    readonly url?: string
    readonly method?: string
    readonly ip?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly now: string
    readonly tolerance?: string
    readonly revoked?: true
    readonly redeemed?: number
  }
  readonly result: 'ok' | Reason
  readonly claims?: Readonly<Record<string, unknown>>
}

interface Entry {
  // biome-ignore lint/suspicious/noExplicitAny: factories differ in their keys and options, and vectors are JSON
  readonly make: (keys: any, options?: any) => Scheme
  readonly vectors: unknown
  /**
   * The parameters of its links that the signature covers, and the signature; or what in a link it does not cover. One changed character makes
   * a refusal.
   */
  readonly covered: readonly string[] | { readonly allBut: RegExp }
}

// In JSON the dates of stored access policies are text.
function azureOf(keys: AzureKey[], { policies = {}, ...options }: AzureOptions = {}): Scheme {
  const dated = Object.entries(policies).map(([name, { permissions, starts, expires }]) => [
    name,
    { ...(permissions && { permissions }), ...(starts && { starts: new Date(starts) }), ...(expires && { expires: new Date(expires) }) },
  ])
  return azure(keys, { ...options, policies: Object.fromEntries(dated) })
}

const entries: readonly Entry[] = [
  { make: hmac, vectors: hmacVectors, covered: ['expires', 'starts', 'method', 'net', 'prefix', 'uses', 'id', 'key', 'signature'] },
  {
    make: azureOf,
    vectors: azureVectors,
    covered:
      'sv ss srt spr st se sip si ses skoid sktid skt ske sks skv sr sdd sp rscc rscd rsce rscl rsct saoid suoid scid sduoid skdutid srh srq sig'.split(
        ' ',
      ),
  },
  // Not md5 and st: of their last character some bits are unused, and NGINX takes any.
  { make: nginx, vectors: nginxVectors, covered: ['expires'] },
  { make: nginxHmac, vectors: nginxHmacVectors, covered: ['ts', 'e'] },
  { make: pichax, vectors: pichaxVectors, covered: ['id', 'expires', 'signature'] },
  { make: s3, vectors: s3Vectors, covered: { allBut: /^\w+:\/\/|#.*/g } },
  { make: gcs, vectors: gcsVectors, covered: { allBut: /^\w+:\/\/|:\d+(?=\/)|#.*/g } },
]

export const schemes = entries as readonly (Omit<Entry, 'vectors'> & { readonly vectors: Vectors })[]
