// Redeems a link with an SQLite file, in whatever engine runs this, for sql.server.test.ts: `redeem-sqlite.mjs file secret link count`.
import process from 'node:process'
import { hmac, redeem } from '../../dist/index.js'
import { sqlStore } from '../../dist/stores/sql.js'

const [, , file, secret, link, count] = process.argv

async function open() {
  if (process.versions.bun) {
    const { Database } = await import('bun:sqlite')
    return new Database(file)
  }
  const { DatabaseSync } = await import('node:sqlite')
  return new DatabaseSync(file)
}

const database = await open()
database.exec('PRAGMA busy_timeout = 10000')
const store = sqlStore(database)
await store.createTable()
const links = hmac({ secret })
const visit = () => redeem(links, link, { store }).then(({ ok, reason }) => (ok ? 'ok' : reason))
console.log(JSON.stringify(await Promise.all(Array.from({ length: Number(count) }, visit))))
database.close()
