// Queues and tables of Azure Storage, as a shared access signature sees them: which methods permissions open, and which entities.
// https://learn.microsoft.com/rest/api/storageservices/create-service-sas#permissions-for-a-queue

/** The name of the table in the first segment of a path: `Employees` in `Employees(PartitionKey='Jeff',RowKey='Price')`. */
export function tableIn(segments: readonly string[]): string | undefined {
  const [segment = ''] = segments
  return segments.length === 1 ? /^([A-Za-z][A-Za-z\d]{2,62})(\(.*\))?$/s.exec(segment)?.[1] : undefined
}

/** The methods that permissions open for a queue (depth 1), its messages (2) or one of these (3). Sorted. */
export function methodsOfQueue(permissions: string, depth: number, peeks: boolean): string[] {
  const may = (letter: string) => permissions.includes(letter)
  const methods: string[] = []
  // `p` takes messages and deletes them. To clear the queue is not among the permissions of a service SAS.
  if (depth === 3 && may('p')) methods.push('DELETE')
  if (depth === 1 ? may('r') : depth === 2 && may(peeks ? 'r' : 'p')) methods.push('GET')
  if (depth === 2 && may('a')) methods.push('POST')
  if (depth === 3 && may('u')) methods.push('PUT')
  return methods
}

/**
 * The methods that permissions open for a table or one of its entities. Sorted. `PUT`, `PATCH` and `MERGE` insert an entity that is not there, unless
 * a header says otherwise, so they need `a` as well as `u`.
 */
export function methodsOfTable(permissions: string, isEntity: boolean): string[] {
  const may = (letter: string) => permissions.includes(letter)
  const changes = isEntity && may('a') && may('u')
  return [
    ...(isEntity && may('d') ? ['DELETE'] : []),
    ...(may('r') ? ['GET'] : []),
    ...(changes ? ['MERGE', 'PATCH'] : []),
    ...(!isEntity && may('a') ? ['POST'] : []),
    ...(changes ? ['PUT'] : []),
  ]
}

/** The keys of an entity. */
interface Entity {
  readonly partition: string
  readonly row: string
}

const KEY = "'(?<KEY>(?:[^']|'')*)'"
const ENTITY = new RegExp(`\\(PartitionKey=${KEY.replace('KEY', 'partition')},RowKey=${KEY.replace('KEY', 'row')}\\)$`, 's')

/** The entity that the decoded segment of a path names. A quote in a key is written twice. */
function entityIn(segment: string): Entity | undefined {
  const { partition, row } = ENTITY.exec(segment)?.groups ?? {}
  if (partition === undefined || row === undefined) return undefined
  return { partition: partition.replaceAll("''", "'"), row: row.replaceAll("''", "'") }
}

/** Does the path name one entity? */
export const isEntity = (segment: string): boolean => entityIn(segment) !== undefined

/** The range of entities that a link opens, both ends included. */
export interface EntityRange {
  readonly spk?: string | undefined
  readonly srk?: string | undefined
  readonly epk?: string | undefined
  readonly erk?: string | undefined
}

/**
 * Is the entity in the path within the range? Azure restricts the result of a query to the range. `verify` cannot, so a link with a range opens
 * single entities only.
 */
export function isInRange({ spk, srk, epk, erk }: EntityRange, segment: string): boolean {
  if (spk === undefined && epk === undefined) return true
  const entity = entityIn(segment)
  if (!entity) return false
  const { partition, row } = entity
  const startsBefore = spk === undefined || partition > spk || (partition === spk && row >= (srk ?? ''))
  const endsBehind = epk === undefined || partition < epk || (partition === epk && (erk === undefined || row <= erk))
  return startsBefore && endsBehind
}
