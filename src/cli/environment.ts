import { existsSync } from 'node:fs'
import { type Config, parseConfig } from '../config.ts'
import { StartupError } from '../errors.ts'
import { createLogger, type Logger } from '../telemetry/logger.ts'

/** Reads `.env` of the working directory, if there is one, and the environment, which wins over it. */
export function readConfig(): Config {
  if (existsSync('.env')) {
    try {
      process.loadEnvFile('.env')
    } catch (error) {
      throw new StartupError('The file .env cannot be read', { cause: error })
    }
  }
  return parseConfig(process.env)
}

/** The logger of a command: pretty lines for a person at a terminal, JSON lines for everything else. */
export function createCommandLogger(config: Config): Logger {
  return createLogger({ level: config.LOG_LEVEL, pretty: process.stdout.isTTY === true })
}
