// What time does to calls: a call in progress that fell silent, or whose media connections ended and did not come
// back, is complete; an analysed call whose rest is over is archived; an announcement that nobody came for is
// forgotten. Any number of gateways may do this at once; each call is taken by one.
import type { Pool } from '../database/pool.ts'
import { type Pulse, startPulse } from '../pulse.ts'
import type { Logger } from '../telemetry/logger.ts'
import { forgetAnnouncedStreams } from './announced-streams.ts'
import { meetDeadlines, nextDeadline, settleJournals } from './statements.ts'

/** What the deadlines need. */
export type DeadlineOptions = {
  readonly pool: Pool
  readonly packetTimeoutSeconds: number
  readonly graceSeconds: number
  readonly reconnectSeconds: number
  readonly logger: Logger
  /** Called when calls changed their state: there are events to publish and perhaps analyses to start. */
  readonly onTransitions: () => void
}

const callsPerRun = 200
const longestUnsettledSeconds = 2
const announcementsPerRun = 1_000
const announcementSeconds = 86_400
/** Announcements are kept for a day, so there is no hurry. */
const forgetEveryMs = 60_000

/** Starts to watch the deadlines of calls. */
export function startDeadlines(options: DeadlineOptions): Pulse {
  const { pool, packetTimeoutSeconds, graceSeconds, reconnectSeconds, logger } = options
  let forgetAt = 0

  async function forgetAnnouncements(): Promise<void> {
    const [result] = await forgetAnnouncedStreams(pool, announcementSeconds, announcementsPerRun)
    const isAll = (result?.forgotten ?? 0) < announcementsPerRun
    if (isAll) forgetAt = performance.now() + forgetEveryMs
  }

  return startPulse({
    everyMs: 1_000,
    onError: (error) => logger.error({ err: error }, 'deadlines were not met; trying again'),
    run: async () => {
      // What a process left that is no more is settled here; and a call is silent since its last packet.
      await settleJournals(pool, Math.min(longestUnsettledSeconds, packetTimeoutSeconds / 4))
      const [met] = await meetDeadlines(
        pool,
        callsPerRun,
        packetTimeoutSeconds,
        graceSeconds,
        reconnectSeconds,
      )
      if (met !== undefined && met.changed > 0) options.onTransitions()
      if (performance.now() >= forgetAt) await forgetAnnouncements()
      const [next] = await nextDeadline(pool)
      // What is due now was just skipped, locked by somebody: give them a moment.
      return next?.seconds == null ? undefined : Math.max(next.seconds * 1_000, 20)
    },
  })
}
