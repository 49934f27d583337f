import { Command } from 'commander'
import pg from 'pg'
import { startEmbeddedPostgres } from '../database/embedded/postgres.ts'
import { migrate } from '../database/migrate.ts'
import { createCommandLogger, readConfig } from './environment.ts'

/** `ai-pbx-gateway migrate`: brings the schema up to date and ends. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('bring the database up to date and end (serve does it by itself)')
    .action(async () => {
      const config = readConfig()
      const logger = createCommandLogger(config)
      await using stack = new AsyncDisposableStack()
      const embedded =
        config.DATABASE_URL === null
          ? await startEmbeddedPostgres({ dataDirectory: config.DATA_DIR, logger })
          : undefined
      if (embedded !== undefined) stack.defer(embedded.stop)
      const client = new pg.Client(embedded?.url ?? config.DATABASE_URL ?? '')
      stack.defer(() => client.end())
      await client.connect()
      const applied = await migrate(client)
      console.log(applied.length === 0 ? 'Already up to date.' : `Applied: ${applied.join(', ')}`)
    })
}
