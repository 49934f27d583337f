// `migrate`: the schema, and nothing else.
import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCommand, temporaryFolder } from '../support/command.ts'
import { newDataDirectory } from '../support/data-directory.ts'
import { createDatabase } from '../support/database.ts'
import { sendPacket, startGateway } from '../support/gateway.ts'

const folder = join(import.meta.dirname, '..', '..', 'src', 'database', 'migrations')
const names = readdirSync(folder).map((file) => file.replace(/\.sql$/, ''))
const applied = `Applied: ${names.toSorted().join(', ')}\n`

test('an empty database gets all migrations, which are named; a second time there is nothing to do', async () => {
  await using database = await createDatabase()
  await database.pool.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  const env = { DATABASE_URL: database.url }
  assert.deepEqual(await runCommand(['migrate'], { env }), { code: 0, stdout: applied, stderr: '' })
  const again = await runCommand(['migrate'], { env })
  assert.deepEqual(again, { code: 0, stdout: 'Already up to date.\n', stderr: '' })

  await using gateway = await startGateway(database.url)
  assert.equal((await sendPacket(gateway.url, 'first', 1)).status, 202)
  assert.ok(!gateway.log.some(({ msg }) => msg === 'database migrated'))
})

test('two at once on an empty database: one migrates, the other waits and has nothing to do', async () => {
  await using database = await createDatabase()
  await database.pool.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  const run = () => runCommand(['migrate'], { env: { DATABASE_URL: database.url } })
  const ended = await Promise.all([run(), run()])
  assert.deepEqual(
    ended
      .map(({ code, stdout, stderr }) => ({ code, said: stdout + stderr }))
      .toSorted((a, b) => b.said.length - a.said.length),
    [
      { code: 0, said: applied },
      { code: 0, said: 'Already up to date.\n' },
    ],
  )
})

test('without DATABASE_URL the embedded database of DATA_DIR is migrated, and stopped', async () => {
  await using directory = newDataDirectory()
  using cwd = temporaryFolder()
  writeFileSync(join(cwd.path, '.env'), `DATA_DIR=${directory.path}\nLOG_LEVEL=warn\n`)
  for (const stdout of [applied, 'Already up to date.\n']) {
    const ended = await runCommand(['migrate'], { cwd: cwd.path })
    assert.deepEqual(ended, { code: 0, stdout, stderr: '' })
    assert.equal(directory.postmaster(), undefined)
  }
})
