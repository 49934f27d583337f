// Structured logs: one JSON object a line, UTC, pretty when a person reads them on a terminal. No audio, no
// transcript and no secret is ever logged; a call is named by `call_id`.
import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'

export type { Logger } from 'pino'

/** Where log lines go, and how they look. */
export type LoggerOptions = {
  readonly level: string
  /** Coloured lines for people in place of JSON. */
  readonly pretty: boolean
}

/** Builds the logger of the process; it writes to standard output. */
export function createLogger(options: LoggerOptions): Logger {
  const settings = {
    level: options.level,
    base: { pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  if (!options.pretty) return pino(settings)
  return pino(
    settings,
    pretty({ colorize: true, ignore: 'pid', translateTime: 'SYS:HH:MM:ss.l', sync: true }),
  )
}
