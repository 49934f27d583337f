import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { migrate } from '../../src/database/migrate.ts'
import type { Queryable } from '../../src/database/statement.ts'
import { StartupError } from '../../src/errors.ts'
import { connect, createDatabase, databaseUrl } from '../support/database.ts'

const folder = join(import.meta.dirname, '..', '..', 'src', 'database', 'migrations')
const shipped = readdirSync(folder)
  .map((file) => file.replace(/\.sql$/, ''))
  .toSorted()

test('an empty database gets every migration, in order, and what they were is written down', async () => {
  await using database = await createEmptyDatabase()
  await using client = await connect(database.url)
  assert.deepEqual(await migrate(client), shipped)
  assert.deepEqual(await recorded(client), { migrations: shipped, checksums: shipped })
  const { rows } = await client.query('SELECT status::text, calls FROM status_counts')
  assert.equal(rows.length, 5)
})

test('the schema that comes out is that of a gateway that was always there', async () => {
  await using database = await createEmptyDatabase()
  await using template = await createDatabase()
  await using client = await connect(database.url)
  await migrate(client)
  assert.deepEqual(await schemaOf(client), await schemaOf(template.pool))
})

test('a database that is up to date is left alone', async () => {
  await using database = await createEmptyDatabase()
  await using client = await connect(database.url)
  await migrate(client)
  const before = [await schemaOf(client), await recorded(client)]
  assert.deepEqual(await migrate(client), [])
  assert.deepEqual([await schemaOf(client), await recorded(client)], before)
})

test('gateways that start at once on an empty database migrate it once', async () => {
  await using database = await createEmptyDatabase()
  await using one = await connect(database.url)
  await using two = await connect(database.url)
  await using three = await connect(database.url)
  const applied = await Promise.all([one, two, three].map((client) => migrate(client)))
  assert.deepEqual(
    applied.toSorted((a, b) => a.length - b.length),
    [[], [], shipped],
  )
  assert.deepEqual(await recorded(one), { migrations: shipped, checksums: shipped })
})

test('a database made from other files than ours is refused by the name of the file', async () => {
  await using database = await createDatabase()
  await using client = await connect(database.url)
  const [name = ''] = shipped
  await client.query(`UPDATE migration_checksums SET sha256 = repeat('0', 64) WHERE name = $1`, [
    name,
  ])
  await assert.rejects(migrate(client), (error) => {
    assert.ok(error instanceof StartupError)
    assert.match(error.message, new RegExp(`^The migration ${name} was changed`))
    return true
  })
})

test('a database of a newer gateway is refused, and not touched', async () => {
  await using database = await createDatabase()
  await using client = await connect(database.url)
  await client.query(`
    INSERT INTO migrations (name, run_on) VALUES ('999_future', now());
    INSERT INTO migration_checksums VALUES ('999_future', 'unknown')`)
  const before = [await schemaOf(client), await recorded(client)]
  await assert.rejects(migrate(client), (error) => {
    assert.ok(error instanceof StartupError)
    assert.match(error.message, /newer gateway \(it has 999_future\)/)
    return true
  })
  assert.deepEqual([await schemaOf(client), await recorded(client)], before)
})

test('a migration that fails leaves nothing behind, and says so to the operator', async () => {
  await using database = await createEmptyDatabase()
  await using client = await connect(database.url)
  await client.query('CREATE TABLE calls (theirs text)')
  const before = await schemaOf(client)
  await assert.rejects(migrate(client), (error) => {
    assert.ok(error instanceof StartupError)
    assert.match(error.message, /cannot be migrated: .*calls/s)
    return true
  })
  const after = await schemaOf(client)
  assert.deepEqual(
    after.filter(({ table }) => table !== 'migrations'),
    before,
  )
  await client.query('DROP TABLE calls')
  assert.deepEqual(await migrate(client), shipped)
})

/** A database with nothing in it. */
async function createEmptyDatabase(): Promise<AsyncDisposable & { readonly url: string }> {
  const name = `empty_${randomBytes(6).toString('hex')}`
  const administer = async (sql: string): Promise<void> => {
    await using server = await connect(databaseUrl())
    await server.query(sql)
  }
  await administer(`CREATE DATABASE ${name} TEMPLATE template0`)
  return {
    url: databaseUrl(name),
    [Symbol.asyncDispose]: () => administer(`DROP DATABASE ${name} WITH (FORCE)`),
  }
}

async function recorded(db: Queryable): Promise<{ migrations: string[]; checksums: string[] }> {
  const names = async (table: string): Promise<string[]> => {
    const { rows } = await db.query<{ name: string }>(`SELECT name FROM ${table} ORDER BY name`)
    return rows.map(({ name }) => name)
  }
  return { migrations: await names('migrations'), checksums: await names('migration_checksums') }
}

type Column = { readonly table: string; readonly column: string; readonly type: string }

/** Every column and every function of ours. */
async function schemaOf(db: Queryable): Promise<Column[]> {
  const { rows } = await db.query<Column>(
    `SELECT table_name AS table, column_name AS column, udt_name AS type
     FROM information_schema.columns WHERE table_schema = 'public'
     UNION ALL
     SELECT proname, 'function', md5(prosrc) FROM pg_proc
     WHERE pronamespace = 'public'::regnamespace
     ORDER BY 1, 2, 3`,
  )
  return rows
}
