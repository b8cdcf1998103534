// SAS for queues and tables beside Azure's own libraries: the same links byte for byte, and verify accepts them.
import { AzureNamedKeyCredential, generateTableSas } from '@azure/data-tables'
import { generateQueueSASQueryParameters, QueueSASPermissions, SASProtocol, StorageSharedKeyCredential } from '@azure/storage-queue'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sign, verify } from '../../../src/index.ts'
import { type AzureConditions, azure } from '../../../src/schemes/azure.ts'

// SEED=… runs other cases.
const seed = Number(process.env['SEED'] ?? 20261127)
const account = 'myaccount'
const secret = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
const credential = new StorageSharedKeyCredential(account, secret)
const named = new AzureNamedKeyCredential(account, secret)
const NOW = new Date('2030-01-01T00:00:00Z')
const at = { now: () => NOW }
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const seconds = fc.integer({ min: 60, max: 300_000 }).map((each) => new Date(+NOW + each * 1000))
const octet = fc.integer({ min: 0, max: 127 })
const letters = (all: string) => fc.subarray([...all], { minLength: 1 }).map((some) => some.join(''))
const text = fc.string({ unit: fc.constantFrom(...'aZ09 -_.~/$%&+"\'\\<>=;,(){}ü漢🐈'), minLength: 1, maxLength: 12 })

const drawn = {
  version: fc.constantFrom('2015-04-05', '2018-03-28', '2020-12-06', '2025-07-05', '2026-04-06'),
  startsOn: maybe(seconds),
  expiresOn: seconds.map((date) => new Date(+date + 400_000_000)),
  https: maybe(fc.boolean()),
  range: maybe(fc.tuple(octet, octet, octet, octet, fc.boolean())),
  identifier: maybe(fc.stringMatching(/^[\w-]{1,20}$/)),
}
type Drawn = { [Name in keyof typeof drawn]: (typeof drawn)[Name] extends fc.Arbitrary<infer T> ? T : never }

/** What the kinds have in common: for Azure's libraries, and for ours. */
function common({ version, startsOn, expiresOn, https, range, identifier }: Drawn) {
  const [a, b, c, d, wide] = range ?? []
  const ipRange = range && { start: `${a}.${b}.${c}.${d}`, ...(wide && { end: `${a}.${b}.${(c as number) + 100}.${d}` }) }
  const protocol = https === undefined ? undefined : https ? SASProtocol.Https : SASProtocol.HttpsAndHttp
  const links = azure({ id: account, secret }, { version, policies: identifier === undefined ? {} : { [identifier]: {} } })
  return {
    theirs: { version, startsOn, expiresOn, identifier, ...(ipRange && { ipRange }), ...(protocol && { protocol }) },
    ours: {
      expires: expiresOn,
      ...(startsOn && { starts: startsOn }),
      ...(ipRange && { ipRange: ipRange.end ? `${ipRange.start}-${ipRange.end}` : ipRange.start }),
      ...(protocol && { protocol }),
      ...(identifier !== undefined && { identifier }),
    },
    links,
    visit: { ip: ipRange?.start, now: () => startsOn ?? NOW },
  }
}

test('500 links for queues', async () => {
  const cases = fc.record({ ...drawn, queueName: fc.stringMatching(/^[a-z\d][a-z\d-]{2,30}$/), permissions: letters('raup') })
  for (const each of fc.sample(cases, { numRuns: 500, seed })) {
    const { theirs, ours, links, visit } = common(each)
    const { queueName, permissions } = each
    const url = `https://${account}.queue.core.windows.net/${queueName}`
    const token = generateQueueSASQueryParameters(
      { ...theirs, queueName, permissions: QueueSASPermissions.parse(permissions) } as never,
      credential,
    )
    expect(await sign(links, url, { ...ours, resource: 'q', permissions }, at)).toBe(`${url}?${token}`)
    const method = permissions.includes('r') ? 'GET' : permissions.includes('a') ? 'POST' : permissions.includes('u') ? 'PUT' : 'DELETE'
    const path = { GET: '', POST: '/messages', PUT: '/messages/7', DELETE: '/messages/7' }[method]
    const verdict = await verify(links, `${url}${path}?${token}`, { ...visit, method })
    expect(verdict).toMatchObject({ ok: true, claims: { prefix: `/${queueName}`, expires: each.expiresOn } })
    expect((await verify(links, `${url}x?${token}`, { ...visit, method })).reason).toBe('bad_signature')
  }
})

test('500 links for tables', async () => {
  const cases = fc.record({
    ...drawn,
    table: fc.stringMatching(/^[A-Za-z][A-Za-z\d]{2,30}$/),
    permissions: letters('raud'),
    start: maybe(fc.tuple(text, maybe(text))),
    end: maybe(fc.tuple(text, maybe(text))),
  })
  for (const each of fc.sample(cases, { numRuns: 500, seed })) {
    const { theirs, ours, links, visit } = common(each)
    const { table, permissions, start, end } = each
    const has = (letter: string) => permissions.includes(letter)
    const keys = {
      ...(start && { startPartitionKey: start[0], ...(start[1] !== undefined && { startRowKey: start[1] }) }),
      ...(end && { endPartitionKey: end[0], ...(end[1] !== undefined && { endRowKey: end[1] }) }),
    }
    const url = `https://${account}.table.core.windows.net/${table}`
    const token = generateTableSas(table, named, {
      ...theirs,
      ...keys,
      permissions: { query: has('r'), add: has('a'), update: has('u'), delete: has('d') },
    } as never)
    expect(await sign(links, url, { ...ours, ...keys, resource: 't', permissions }, at)).toBe(`${url}?${token}`)
    const { reason, claims } = await verify(links, `${url}?${token}`, { ...visit, method: has('r') ? 'GET' : 'POST' })
    expect([reason, claims?.resource]).toEqual([start || end ? 'wrong_path' : has('r') || has('a') ? undefined : 'wrong_method', url])
    expect((await verify(links, `${url}x?${token}`, { ...visit })).reason).toBe('bad_signature')
  }
})

const links = azure({ id: account, secret })
const queue = 'https://myaccount.queue.core.windows.net/tasks'
const table = 'https://myaccount.table.core.windows.net/Employees'
const signed = (url: string, own: AzureConditions) => sign(links, url, { expires: '1h', ...own }, at)
const query = async (url: string, own: AzureConditions) => (await signed(url, own)).slice(url.length)

test.each([
  ['r', 'GET', '?comp=metadata'],
  ['r', 'HEAD', '?comp=metadata'],
  ['r', 'GET', '/messages?peekonly=true'],
  ['p', 'GET', '/messages'],
  ['p', 'GET', '/messages?numofmessages=32'],
  ['p', 'DELETE', '/messages/7?popreceipt=x'],
  ['a', 'POST', '/messages'],
  ['u', 'PUT', '/messages/7?popreceipt=x'],
])('permission %s of a queue opens %s %s', async (permissions, method, rest) => {
  const reasonWith = async (letters: string) => {
    const token = (await query(queue, { resource: 'q', permissions: letters })).slice(1)
    return (await verify(links, `${queue}${rest}${rest.includes('?') ? '&' : '?'}${token}`, { ...at, method })).reason
  }
  expect(await reasonWith(permissions)).toBeUndefined()
  for (const letters of ['raup'.replace(permissions, '')]) expect(await reasonWith(letters)).toBe('wrong_method')
})

test('the queue itself is not made, changed or deleted, and messages are not cleared', async () => {
  const token = await query(queue, { resource: 'q', permissions: 'raup' })
  for (const [method, rest] of [
    ['PUT', ''],
    ['DELETE', ''],
    ['DELETE', '/messages'],
    ['POST', '/messages/7'],
    ['GET', '/messages/7'],
  ])
    expect((await verify(links, `${queue}${rest}${token}`, { ...at, method: method as string })).reason).toBe('wrong_method')
})

test('permissions of a table', async () => {
  const one = "(PartitionKey='Jeff',RowKey='Price')"
  const opened = async (permissions: string, rest: string) => {
    const token = await query(table, { resource: 't', permissions })
    const methods = ['DELETE', 'GET', 'MERGE', 'PATCH', 'POST', 'PUT']
    const verdicts = await Promise.all(methods.map((method) => verify(links, `${table}${rest}${token}`, { ...at, method })))
    return methods.filter((_, i) => verdicts[i]?.ok).join()
  }
  expect(await opened('r', '')).toBe('GET')
  expect(await opened('r', '()')).toBe('GET')
  expect(await opened('r', one)).toBe('GET')
  expect(await opened('a', '')).toBe('POST')
  expect(await opened('d', one)).toBe('DELETE')
  expect(await opened('d', '')).toBe('')
  // These insert an entity that is not there, unless a header says otherwise.
  expect(await opened('u', one)).toBe('')
  expect(await opened('au', one)).toBe('MERGE,PATCH,PUT')
  expect(await opened('raud', one)).toBe('DELETE,GET,MERGE,PATCH,PUT')
})

test('a range of entities opens those in it, and no query', async () => {
  const range = { resource: 't', startPartitionKey: 'b', startRowKey: '5', endPartitionKey: "d'e", endRowKey: '7' } as const
  const token = await query(table, range)
  const reasonFor = async (partition: string, row: string) =>
    (await verify(links, `${table}(PartitionKey='${partition}',RowKey='${row}')${token}`, at)).reason
  for (const [partition, row] of [
    ['b', '5'],
    ['b', '9'],
    ['c', ''],
    ["d''e", '7'],
    ['d', '8'],
    ['c%27%27', '1'],
  ] as const)
    expect(await reasonFor(partition, row), `${partition} ${row}`).toBeUndefined()
  for (const [partition, row] of [
    ['b', '4'],
    ['a', '9'],
    ["d''e", '8'],
    ['e', '1'],
    ["c',RowKey='1')(PartitionKey='z", '1'],
  ] as const)
    expect(await reasonFor(partition, row), `${partition} ${row}`).toBe('wrong_path')
  for (const rest of ['', '()', "(PartitionKey='c')"]) expect((await verify(links, table + rest + token, at)).reason).toBe('wrong_path')
  expect((await verify(links, `${table}(PartitionKey='c',RowKey='1')${token.replace('spk=b', 'spk=a')}`, at)).reason).toBe('bad_signature')
})

test('a link of one service opens no other', async () => {
  const ofQueue = await query(queue, { resource: 'q' })
  const ofTable = await query(table, { resource: 't' })
  const reasonFor = async (url: string) => (await verify(links, url, at)).reason
  expect(await reasonFor(`https://myaccount.blob.core.windows.net/tasks/x${ofQueue}`)).toBe('malformed')
  expect(await reasonFor(`https://myaccount.table.core.windows.net/tasks${ofQueue}`)).toBe('malformed')
  expect(await reasonFor(`https://myaccount.queue.core.windows.net/employees${ofTable}`)).toBe('malformed')
  expect(await reasonFor(`/Employees${ofTable.replace('&tn=Employees', '')}`)).toBe('bad_signature')
  expect(await reasonFor(`/Employees${ofTable}`)).toBeUndefined()
  expect(await reasonFor(`/employees${ofTable}`)).toBeUndefined()
  expect(await reasonFor(`/Employees2${ofTable}`)).toBe('bad_signature')
  expect(await reasonFor(`/tasks${ofQueue}&comp=metadata`)).toBeUndefined()
  for (const explicit of ['&sr=q', '&sr=t', '&sr=b']) expect(await reasonFor(`${queue}${ofQueue}${explicit}`)).not.toBeUndefined()
  for (const more of ['&spk=a', '&tn=tasks', '&rsct=a', '&ses=a']) expect(await reasonFor(`${queue}${ofQueue}${more}`)).toBe('malformed')
})

test('mistakes name their option', async () => {
  const option = (url: string, own: object) => signed(url, own as AzureConditions).then(String, ({ option }) => option)
  expect(await option(queue, { resource: 'q', permissions: 'd' })).toBe('permissions')
  expect(await option(table, { resource: 't', permissions: 'p' })).toBe('permissions')
  expect(await option(queue, { resource: 'q', startPartitionKey: 'a' })).toBe('startPartitionKey')
  expect(await option(queue, { resource: 'q', contentType: 'a' })).toBe('contentType')
  expect(await option(table, { resource: 't', startRowKey: 'a' })).toBe('startRowKey')
  expect(await option(table, { resource: 't', endRowKey: 'a' })).toBe('endRowKey')
  expect(await option(table, { resource: 't', endPartitionKey: 'a\nb' })).toBe('endPartitionKey')
  expect(await option(`${table}/x`, { resource: 't' })).toBe('url')
  expect(await option('https://myaccount.table.core.windows.net/', { resource: 't' })).toBe('url')
  expect(await option(queue, { resource: 't' })).toBe('url')
  expect(await option(table, { resource: 'q' })).toBe('url')
  expect(await option('https://myaccount.blob.core.windows.net/tasks', { resource: 'q' })).toBe('url')
  expect(await option(`${queue}?tn=a`, { resource: 'q' })).toBe('url')
})
