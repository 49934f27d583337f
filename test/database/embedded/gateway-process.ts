// A gateway of which only the database is there, as a process that tests may kill: starts the
// embedded PostgreSQL (the options are its argument, as JSON), says so as a line of JSON, and stops
// it when its standard input ends.
import { pino } from 'pino'
import { startEmbeddedPostgres } from '../../../src/database/embedded/postgres.ts'
import type { Said } from './harness.ts'

function say(said: Said): void {
  process.stdout.write(`${JSON.stringify(said)}\n`)
}

process.on('SIGINT', () => say({ event: 'interrupted' }))
try {
  const options = JSON.parse(process.argv[2] ?? '')
  const database = await startEmbeddedPostgres({ ...options, logger: pino({ level: 'silent' }) })
  say({ event: 'started', url: database.url })
  process.stdin.resume().on('end', () => database.stop())
} catch (error) {
  if (!(error instanceof Error)) throw error
  say({ event: error.name, message: error.message })
}
