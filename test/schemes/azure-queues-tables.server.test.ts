// azure beside a real server, for queues and tables: Azurite, Azure's emulator, opens a link exactly when verify accepts it.
import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { AzureNamedKeyCredential, TableClient } from '@azure/data-tables'
import { QueueClient, StorageSharedKeyCredential } from '@azure/storage-queue'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sign, verify } from '../../src/index.ts'
import { type AzureConditions, azure } from '../../src/schemes/azure.ts'
import { freePort } from '../prepare.mjs'

// The account that every Azurite has. It is public.
const account = 'devstoreaccount1'
const secret = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
const links = azure({ id: account, secret }, { pathStyle: true, version: '2025-07-05' })

const servers: ChildProcess[] = []
let queues = ''
let tables = ''

async function start(service: 'queue' | 'table'): Promise<string> {
  const program = createRequire(import.meta.url).resolve(`azurite/dist/src/${service}/main.js`)
  // The service for tables does not print the port that it was given by the system.
  const port = `${await freePort()}`
  const flags = ['--skipApiVersionCheck', '--disableTelemetry', '--silent', '--inMemoryPersistence', `--${service}Port`, port]
  const server = spawn(process.execPath, [program, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  servers.push(server)
  await new Promise<void>((resolve, reject) => {
    let printed = ''
    server.stdout?.on('data', (part) => {
      if (/successfully (listens|started)/.test((printed += part))) resolve()
    })
    server.on('exit', () => reject(new Error(`Azurite ended: ${printed}`)))
  })
  return `http://127.0.0.1:${port}/${account}`
}

beforeAll(async () => {
  ;[queues, tables] = (await Promise.all([start('queue'), start('table')])) as [string, string]
  await new QueueClient(`${queues}/tasks`, new StorageSharedKeyCredential(account, secret)).create()
  const credential = new AzureNamedKeyCredential(account, secret)
  const client = new TableClient(tables, 'Employees', credential, { allowInsecureConnection: true })
  await client.createTable()
  await client.createEntity({ partitionKey: 'Jeff', rowKey: 'Price', salary: 7 })
}, 60_000)

afterAll(() => {
  for (const server of servers) server.kill()
})

/** The status of Azurite, after a check that Azurite and verify both accept the request, or both refuse it. */
async function request(link: string, init: RequestInit = {}, now = new Date()): Promise<number> {
  const response = await fetch(link, init)
  const body = await response.text()
  const verdict = await verify(links, link, { method: init.method ?? 'GET', now: () => now })
  expect([verdict.ok, verdict.reason, link, body]).toEqual([response.status < 400, verdict.reason, link, body])
  return response.status
}

const signed = (url: string, own: AzureConditions) => sign(links, url, { expires: '1h', ...own })

test('a queue: messages are added, peeked at, taken and deleted, and each needs its permission', async () => {
  const url = `${queues}/tasks/messages`
  const body = '<QueueMessage><MessageText>hello</MessageText></QueueMessage>'
  expect(await request(await signed(url, { resource: 'q', permissions: 'a' }), { method: 'POST', body })).toBe(201)
  expect(await request(await signed(url, { resource: 'q', permissions: 'r' }), { method: 'POST', body })).toBe(403)
  expect(await request(await signed(`${url}?peekonly=true`, { resource: 'q', permissions: 'r' }))).toBe(200)
  expect(await request(await signed(`${url}?peekonly=true`, { resource: 'q', permissions: 'p' }))).toBe(403)
  expect(await request(await signed(url, { resource: 'q', permissions: 'r' }))).toBe(403)
  const taken = await (await fetch(await signed(url, { resource: 'q', permissions: 'p' }))).text()
  const [, id] = /<MessageId>([^<]+)/.exec(taken) ?? []
  const [, receipt = ''] = /<PopReceipt>([^<]+)/.exec(taken) ?? []
  const message = `${url}/${id}?popreceipt=${encodeURIComponent(receipt)}`
  expect(await request(await signed(message, { resource: 'q', permissions: 'u' }), { method: 'DELETE' })).toBe(403)
  expect(await request(await signed(message, { resource: 'q', permissions: 'p' }), { method: 'DELETE' })).toBe(204)
  const other = (await signed(url, { resource: 'q', permissions: 'a' })).replace('/tasks/', '/others/')
  expect(await request(other, { method: 'POST', body })).toBe(403)
  const link = await signed(`${queues}/tasks?comp=metadata`, { resource: 'q' })
  expect(await request(link)).toBe(200)
  expect(await request(link.replace('sp=r', 'sp=raup'))).toBe(403)
})

test('a table: entities are read, added and deleted, and each needs its permission', async () => {
  const json = { accept: 'application/json', 'content-type': 'application/json' }
  const table = `${tables}/Employees`
  const price = `${table}(PartitionKey='Jeff',RowKey='Price')`
  expect(await request(await signed(price, { resource: 't' }), { headers: json })).toBe(200)
  expect(await request(await signed(`${table}()`, { resource: 't' }), { headers: json })).toBe(200)
  expect(await request(await signed(price, { resource: 't', permissions: 'a' }), { headers: json })).toBe(403)
  const body = JSON.stringify({ PartitionKey: 'Ann', RowKey: 'Lee' })
  expect(await request(await signed(table, { resource: 't', permissions: 'a' }), { method: 'POST', headers: json, body })).toBe(201)
  expect(await request(await signed(table, { resource: 't', permissions: 'r' }), { method: 'POST', headers: json, body })).toBe(403)
  const lee = `${table}(PartitionKey='Ann',RowKey='Lee')`
  const always = { method: 'DELETE', headers: { ...json, 'if-match': '*' } }
  expect(await request(await signed(lee, { resource: 't', permissions: 'r' }), always)).toBe(403)
  expect(await request(await signed(lee, { resource: 't', permissions: 'd' }), always)).toBe(204)
  const link = await signed(price, { resource: 't', startPartitionKey: 'J', endPartitionKey: 'K' })
  expect(await request(link, { headers: json })).toBe(200)
  // The emulator takes the name of the table from the path alone. Azure takes both.
  expect((await verify(links, link.replace('tn=Employees', 'tn=Others'))).reason).toBe('bad_signature')
  expect(await request(link.replace('spk=J', 'spk=I'), { headers: json })).toBe(403)
})
