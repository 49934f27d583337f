// Refused media connections in the log: of each protocol the first one in a second with its reason, of the others
// their number, for a line per connection would make a flood of them worse.
import type { Logger } from '../../telemetry/logger.ts'

const everyMs = 1_000

/** Tells of a connection that was refused, and why. */
export type TellRefusal = (protocol: string, reason: string) => void

/** Builds what is to be told of every refused connection. */
export function logRefusedConnections(logger: Logger): TellRefusal {
  const more = new Map<string, number>()

  function write(): void {
    for (const [protocol, connections] of more)
      if (connections > 0)
        logger.warn({ protocol, connections }, 'more media connections were refused')
    more.clear()
  }

  return (protocol, reason) => {
    if (more.size === 0) setTimeout(write, everyMs).unref()
    const connections = more.get(protocol)
    more.set(protocol, connections === undefined ? 0 : connections + 1)
    if (connections === undefined)
      logger.warn({ protocol, reason }, 'a media connection is refused')
  }
}
