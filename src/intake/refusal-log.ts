// Refused packets in the log: a line per second and reason, for a line per packet would make an overload worse.
import type { ErrorCode } from '../errors.ts'
import { errorCatalogue } from '../errors.ts'
import type { Logger } from '../telemetry/logger.ts'

const everyMs = 1_000

/** Builds what is to be told of every refused packet. Mistakes of clients are theirs, and not logged. */
export function logRefusals(logger: Logger): (error: Error, code: ErrorCode) => void {
  const counts = new Map<ErrorCode, number>()
  let timer: NodeJS.Timeout | undefined

  function write(): void {
    timer = undefined
    for (const [code, packets] of counts)
      logger.warn({ code, packets }, 'packets could not be taken')
    counts.clear()
  }

  return (error, code) => {
    if (code === 'internal') logger.error({ err: error }, 'a packet failed: a defect')
    if (!errorCatalogue[code].retryable) return
    counts.set(code, (counts.get(code) ?? 0) + 1)
    if (timer === undefined) timer = setTimeout(write, everyMs).unref()
  }
}
