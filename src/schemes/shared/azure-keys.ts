// The keys of shared access signatures of Azure Storage: account keys and user delegation keys.
import { assertOption } from '../../core/errors.ts'
import type { Secret, SecretKey } from '../../core/keys.ts'
import { BASE64, decode } from '../../lib/encoding.ts'
import { DELEGATION_PARAMETERS, type Fields, type Parameter, printTime, timeIn } from './azure-fields.ts'

/** A user delegation key, as Azure's libraries return it. */
export interface AzureDelegation {
  readonly signedObjectId: string
  readonly signedTenantId: string
  readonly signedStartsOn: Date | string
  readonly signedExpiresOn: Date | string
  readonly signedService: string
  readonly signedVersion: string
  readonly signedDelegatedUserTenantId?: string
}

/** An account key, or a user delegation key. */
export interface AzureKey extends SecretKey {
  /** The name of the storage account, of lower-case letters and digits. It is signed, and stands in the link's host name or path. */
  readonly id: string
  /** As Azure returns it: text is base64, and its bytes are the key. */
  readonly secret: Secret
  /**
   * Makes this a user delegation key: `{ id: account, secret: key.value, delegation: key }`. It has its own dates. With `starts` and `expires` as well,
   * the later start and the earlier expiry count.
   */
  readonly delegation?: AzureDelegation
}

/** A key with its secret as bytes. */
export interface PreparedKey extends SecretKey {
  readonly id: string
  /** The parameters that name the user delegation key; none for an account key. */
  readonly fields: Fields
}

/** Checks a key. A user delegation key has its own dates, so its links end with it. The caller's dates may make it shorter. */
export function prepared({ delegation, ...key }: AzureKey): PreparedKey {
  // Links with a wrong name would be refused by Azure, and Azure does not say why.
  const isName = typeof key.id === 'string' && /^[a-z\d-]+$/.test(key.id)
  assertOption(isName, 'id', 'the name of the storage account, of lower-case letters and digits')
  const secret = typeof key.secret === 'string' ? bytesIn(key.secret) : key.secret
  if (!delegation) return { ...key, secret, fields: {} }
  const fields = fieldsOfDelegation(delegation)
  const [starts, expires] = [timeIn(fields.skt) as Date, timeIn(fields.ske) as Date]
  return {
    ...key,
    secret,
    fields,
    starts: key.starts && key.starts > starts ? key.starts : starts,
    expires: key.expires && key.expires < expires ? key.expires : expires,
  }
}

function bytesIn(base64: string): Uint8Array {
  const bytes = new Uint8Array(base64.length)
  const length = base64.length % 4 ? -1 : decode(base64.replace(/={1,2}$/, ''), BASE64, bytes)
  assertOption(length >= 0, 'secret', 'base64, as Azure returns it, without white space, line breaks and quotes')
  return bytes.slice(0, length)
}

const PROPERTY_OF = {
  skoid: 'signedObjectId',
  sktid: 'signedTenantId',
  skt: 'signedStartsOn',
  ske: 'signedExpiresOn',
  sks: 'signedService',
  skv: 'signedVersion',
  skdutid: 'signedDelegatedUserTenantId',
} as const satisfies Record<(typeof DELEGATION_PARAMETERS)[number], keyof AzureDelegation>

function fieldsOfDelegation(delegation: AzureDelegation): Fields {
  const fields: { [Name in Parameter]?: string } = {}
  for (const parameter of DELEGATION_PARAMETERS) {
    const property = PROPERTY_OF[parameter]
    const value: unknown = delegation[property]
    if (parameter === 'skdutid' && !value) continue
    if (parameter === 'skt' || parameter === 'ske') {
      const time = value instanceof Date ? value : timeIn(`${value}`)
      assertOption(time && !Number.isNaN(+time), `delegation.${property}`, 'a date, as Azure returns it')
      fields[parameter] = printTime(+time)
    } else {
      const good = typeof value === 'string' && /^[\w-]+$/.test(value)
      assertOption(good, `delegation.${property}`, "letters, digits, '_' and '-', as Azure returns it")
      fields[parameter] = value as string
    }
  }
  return fields
}

/** Is this the user delegation key that a link names; or, if it names none, an account key? */
export function isKeyOf(key: PreparedKey, fields: Fields): boolean {
  return DELEGATION_PARAMETERS.every((name) => key.fields[name] === fields[name])
}
