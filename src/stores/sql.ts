// sqlStore: remembers which links were used, in PostgreSQL or SQLite.
import { assertKnownOptions, assertOption } from '../core/errors.ts'
import type { UseStore } from '../core/redeem.ts'
import { type Duration, secondsOf } from '../core/time.ts'
import { BASE64URL, encode } from '../lib/encoding.ts'
import { within } from '../lib/within.ts'

/** The parts of a pool or client of the package `pg` that this store uses. */
export interface PgClient {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>
}

/** The parts of the client of `postgres()`, from the package `postgres`, that this store uses. */
export interface PostgresJs {
  unsafe(text: string, values: never[]): PromiseLike<readonly unknown[]>
}

/** The parts of a database of `node:sqlite`, `better-sqlite3` or `bun:sqlite` that this store uses. */
export interface SqliteDatabase {
  prepare(text: string): { all(...values: never[]): unknown[]; run(...values: never[]): unknown }
}

/** Options of {@link sqlStore}. */
export interface SqlStoreOptions {
  /** The name of the table, optionally with its schema: `'app.link_uses'`. Default: `'securelink_uses'`. */
  readonly table?: string
  /**
   * The shortest time that a use is remembered, so that links of one id share their uses even after one of them has expired. Default: `'1d'`.
   * A use is always remembered until its link has expired.
   */
  readonly retain?: Duration
  /** How long to wait for an answer of PostgreSQL before `take` throws. Default: `'2s'`. It does not apply to SQLite, which runs in the process. */
  readonly timeout?: Duration
}

/** A store in a table of a database. */
export interface SqlStore extends UseStore {
  /** Creates the table if it does not exist. Run it when you deploy, as a user who may create tables. */
  createTable(): Promise<void>
  /** Deletes the rows that may be forgotten. `take` does it once in 1,000 calls. */
  sweep(): Promise<void>
}

type Rows = readonly unknown[]
type Values = Readonly<Record<string, string | number>>

/** The differences between the two databases. */
interface Database {
  /** The clock of the database, in milliseconds since 1970; one value for a whole statement. */
  readonly clock: string
  /** The function that returns the greatest of its arguments. */
  readonly greatest: string
  run(text: string, values: Values): Promise<Rows>
}

// A row is kept for an hour longer than its link, because the clock of a database that takes over may be behind.
const MARGIN = 3_600_000

const SWEEP_EVERY = 1000

// The waiting times before each try to give a use back, in milliseconds: the database may be restarting.
const GIVE_BACK_AFTER = [0, 250, 1000, 4000, 15_000]

// One statement on one row, so the database makes it atomic. Even a refused request writes, because its link may expire later than earlier links with
// the same id. `taker` names the last request that took a use. If its answer is lost, the name tells whether the use was taken and can be given back.
function takeStatement(table: string, { clock, greatest }: Database): string {
  const isForgotten = `known.forget_at <= ${clock}`
  const isLeft = `(${isForgotten} OR known.taken < :uses)`
  return `
INSERT INTO ${table} AS known (id, taken, granted, taker, forget_at)
SELECT :id, 1, 1, :taker, ${greatest}(:until, ${clock} + :retained) + ${MARGIN}
WHERE :until > ${clock}
ON CONFLICT (id) DO UPDATE SET
  taken = CASE WHEN ${isForgotten} THEN 1 WHEN known.taken < :uses THEN known.taken + 1 ELSE known.taken END,
  granted = CASE WHEN ${isLeft} THEN 1 ELSE 0 END,
  taker = CASE WHEN ${isLeft} THEN excluded.taker ELSE known.taker END,
  forget_at = ${greatest}(known.forget_at, CASE WHEN ${isLeft} THEN excluded.forget_at ELSE :until + ${MARGIN} END)
RETURNING granted`
}

/**
 * Remembers uses in a table of PostgreSQL (11 or newer), with the packages `pg` or `postgres`, or of SQLite (3.35 or newer), with `node:sqlite`,
 * `better-sqlite3` or `bun:sqlite`. `take` is one statement on one row, so the database makes it atomic. Its clock alone decides whether a link has
 * expired and when its row may be forgotten, so the clocks of your machines need not agree.
 *
 * While the database cannot be reached, or does not answer in time, `take` throws, and the link does not open. If an answer is lost,
 * its use is given back when the database can be reached again, unless another request took a use of the same link in between.
 *
 * ```ts no-run needs a PostgreSQL server
 * import { Pool } from 'pg'
 * import { sqlStore } from 'securelink/stores/sql'
 *
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL })
 * const store = sqlStore(pool)
 * await store.createTable()
 * ```
 *
 * @param database - A pool of `pg`, what `postgres()` returns, or a database of SQLite. In SQLite, set a busy timeout if several processes use the file.
 * @param options - The name of the table, how long uses are remembered, and a timeout.
 * @returns A store for the option `store` of `redeem`, `guard`, `confirm`, `middleware` and `service`.
 * @throws A `LinkError` `bad_option` if this is not a database, and for a wrong or unknown option.
 */
export function sqlStore(database: PgClient | PostgresJs | SqliteDatabase, options: SqlStoreOptions = {}): SqlStore {
  assertKnownOptions(options, ['table', 'retain', 'timeout'], 'sqlStore()')
  const { table = 'securelink_uses', retain = '1d', timeout = '2s' } = options
  const isName = typeof table === 'string' && /^[a-z_]\w*(\.[a-z_]\w*)?$/i.test(table)
  assertOption(isName, 'table', "a name of letters, digits and '_', such as 'securelink_uses' or 'app.link_uses'")
  const retained = Math.ceil(secondsOf(retain, 'retain') * 1000)
  const patience = secondsOf(timeout, 'timeout') * 1000
  const db = databaseOf(database)
  const taking = takeStatement(table, db)
  let takes = 0

  const sweep = async () => void (await db.run(`DELETE FROM ${table} WHERE forget_at <= ${db.clock}`, {}))
  const giveBack = async (id: string, taker: string) => {
    const statement = `UPDATE ${table} SET taken = taken - 1, taker = '' WHERE id = :id AND taker = :taker`
    for (const pause of GIVE_BACK_AFTER) {
      await waited(pause)
      const isDone = await db.run(statement, { id, taker }).then(
        () => true,
        () => false,
      )
      if (isDone) return
    }
  }

  return {
    async take(id, until, uses) {
      if (Number.isNaN(+until)) return false
      const taker = encode(crypto.getRandomValues(new Uint8Array(12)), BASE64URL)
      const answer = db.run(taking, { id, taker, until: +until, uses, retained })
      try {
        const [row] = await within(answer, patience, 'sqlStore: the database did not answer in time')
        if (++takes % SWEEP_EVERY === 0) sweep().catch(() => undefined)
        return Number((row as { granted?: unknown } | undefined)?.granted) === 1
      } catch (error) {
        // The answer is lost, so the use may have been taken. Wait for the late answer first: before it, there may be nothing to give back.
        const settled = () => giveBack(id, taker)
        answer.then(settled, settled)
        throw error
      }
    },
    async createTable() {
      const columns = 'id text PRIMARY KEY, taken bigint NOT NULL, granted integer NOT NULL, taker text NOT NULL, forget_at bigint NOT NULL'
      const create = () => db.run(`CREATE TABLE IF NOT EXISTS ${table} (${columns})`, {})
      // If two processes create the table at once, PostgreSQL returns an error to one of them. Its second try finds the table.
      await create().catch(create)
    },
    sweep,
  }
}

const POSTGRES = { clock: 'CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000 AS bigint)', greatest: 'GREATEST' }
const SQLITE = { clock: "CAST((julianday('now') - 2440587.5) * 86400000 AS integer)", greatest: 'max' }

function databaseOf(database: PgClient | PostgresJs | SqliteDatabase): Database {
  const hasMethod = (name: string) => typeof (database as unknown as Record<string, unknown> | undefined)?.[name] === 'function'
  // Databases of Bun also have `query`, so look for `prepare` first.
  if (hasMethod('prepare')) return { ...SQLITE, run: async (text, values) => runSqlite(database as SqliteDatabase, text, values) }
  if (hasMethod('unsafe')) return { ...POSTGRES, run: async (text, values) => runPostgresJs(database as PostgresJs, text, values) }
  assertOption(hasMethod('query'), 'database', 'a pool of pg, a client of postgres, or a database of SQLite')
  return { ...POSTGRES, run: async (text, values) => runPg(database as PgClient, text, values) }
}

function runSqlite(database: SqliteDatabase, text: string, values: Values): Rows {
  const names = [...text.matchAll(NAMED)].map(([, name]) => name as string)
  const given = names.map((name) => values[name]) as never[]
  const statement = database.prepare(text.replace(NAMED, '?'))
  // `all`, because `get` may return before the commit, which can fail.
  if (text.includes('RETURNING')) return statement.all(...given)
  statement.run(...given)
  return []
}

async function runPg(database: PgClient, text: string, values: Values): Promise<Rows> {
  return (await database.query(numbered(text, values), Object.values(values).map(String))).rows
}

async function runPostgresJs(database: PostgresJs, text: string, values: Values): Promise<Rows> {
  return database.unsafe(numbered(text, values), Object.values(values).map(String) as never[])
}

/** PostgreSQL counts its parameters: each `:name` becomes `$1`, `$2` … in the order of the values. */
function numbered(text: string, values: Values): string {
  const names = Object.keys(values)
  return text.replace(NAMED, (_, name: string) => `$${names.indexOf(name) + 1}`)
}

const NAMED = /:([a-z]+)/g

/** A pause that does not keep the process alive. */
const waited = (milliseconds: number) =>
  new Promise<void>((resolve) => {
    const timer: unknown = setTimeout(resolve, milliseconds)
    ;(timer as { unref?(): void }).unref?.()
  })
