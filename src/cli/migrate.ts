import { Command } from 'commander'
import { startEmbeddedPostgres } from '../database/embedded/postgres.ts'
import { prepareDatabase } from '../database/prepare.ts'
import { createCommandLogger, readConfig } from './environment.ts'

/** `ai-pbx-gateway migrate`: brings the schema up to date and ends. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('bring the database up to date and end (serve does it by itself)')
    .action(async () => {
      const config = readConfig()
      const logger = createCommandLogger(config)
      const stack = new AsyncDisposableStack()
      try {
        const embedded =
          config.DATABASE_URL === null
            ? await startEmbeddedPostgres({ dataDirectory: config.DATA_DIR, logger })
            : undefined
        if (embedded !== undefined) stack.defer(embedded.stop)
        const applied = await prepareDatabase(
          embedded?.url ?? config.DATABASE_URL ?? '',
          config.ALLOW_UNSAFE_DATABASE === 'true',
          logger,
        )
        console.log(applied.length === 0 ? 'Already up to date.' : `Applied: ${applied.join(', ')}`)
      } finally {
        await stack.disposeAsync()
      }
    })
}
