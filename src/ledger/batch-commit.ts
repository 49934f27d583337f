// Commits a batch of packets, by the journal, the short way or the long one, and says what became of each packet.
import { Scratch } from '../byte-range.ts'
import { failureKind } from '../database/failure.ts'
import type { Pool } from '../database/pool.ts'
import type { Logger } from '../telemetry/logger.ts'
import { appendParameters, commitParameters, receipts, usual } from './batch.ts'
import type { GroupOutcome } from './group-commit.ts'
import type { Journal, NumberedGroup } from './journal.ts'
import { isIrregular, type PacketReceipt, type TrackName } from './packet.ts'
import { type PacketGroup, sequencesOf } from './packet-group.ts'
import { appendPackets, commitPackets } from './statements.ts'
import { type CommitTally, lostBy } from './tally.ts'

/** What it needs. */
export type BatchCommitOptions = {
  readonly pool: Pool
  /** For packets that come a few at a time; without one, all go the other ways. */
  readonly journal?: Journal | undefined
  readonly packetTimeoutSeconds: number
  readonly logger: Logger
  /** Called after a commit that created calls: there are events to publish. */
  readonly onCallsCreated: () => void
  /** Called after every commit. */
  readonly onCommitted?: (tally: CommitTally) => void
}

type Outcome = GroupOutcome<PacketReceipt>

/** Enough for all live calls of a large gateway; to forget one costs a look at its row. */
const mostKnownCalls = 50_000

/** How batches are committed. */
export type BatchCommit = {
  /** Which way the packets of a track go; those of a batch all go the same. */
  readonly wayOf: (callId: string, track: TrackName) => string
  readonly commit: (groups: readonly PacketGroup[]) => Promise<Outcome[]>
}

/**
 * Builds it. Tracks that the journal holds go there, which is nearly all; other calls that are known by their number go
 * the short way. What does not fit there (late packets, repeats, sealed calls) is tried again the long way.
 */
export function createBatchCommit(options: BatchCommitOptions): BatchCommit {
  const { pool, journal, logger } = options
  const numbers = new Map<string, number>()
  // A batch is over before the next one begins, and the driver copies what it sends.
  const scratch = new Scratch()

  function learn(callId: string, call: number): void {
    if (numbers.size >= mostKnownCalls) numbers.clear()
    numbers.set(callId, call)
  }

  /** The groups with the numbers of their calls, if all are known. */
  function numbered(groups: readonly PacketGroup[]): NumberedGroup[] | undefined {
    const found: NumberedGroup[] = []
    for (const group of groups) {
      const call = numbers.get(group.callId)
      if (call === undefined) return undefined
      found.push([call, group])
    }
    return found
  }

  async function write(into: Journal, groups: readonly NumberedGroup[]): Promise<Outcome[]> {
    const begun = performance.now()
    const outcomes = await into.append(groups)
    const tally = new Tally()
    for (const [index, [, group]] of groups.entries())
      if (outcomes[index] !== 'again') tally.add(group, 0)
    tally.tell(options, begun)
    return outcomes
  }

  async function append(known: readonly NumberedGroup[]): Promise<Outcome[]> {
    const begun = performance.now()
    const groups = known.map(([, group]) => group)
    const calls = known.map(([call]) => call)
    const [result] = await appendPackets(
      pool,
      `{${calls.join()}}`,
      ...appendParameters(groups, scratch),
    )
    const tally = new Tally()
    const { ordinals = null, unusual = null } = result ?? { ordinals: [] }
    const isStored = ordinals === null ? undefined : new Set(ordinals)
    const irregular = new Map(unusual?.map((one) => [one[0], one]))
    const goingOn: NumberedGroup[] = []
    const outcomes = known.map(([call, group], index): Outcome => {
      if (isStored?.has(index + 1) === false) {
        numbers.delete(group.callId)
        return 'again'
      }
      const [, prior, horizon, has_zero] = irregular.get(index + 1) ?? []
      if (prior === undefined || horizon === undefined || has_zero === undefined) {
        tally.add(group, 0)
        goingOn.push([call, group])
        return Array<PacketReceipt>(group.packets).fill(usual)
      }
      const told = receipts(group, { outcome: 'stored', prior, horizon, has_zero })
      warnOfIrregularities(logger, group, told)
      tally.add(group, lostBy(group, prior, told))
      return told
    })
    tally.tell(options, begun)
    await journal?.offer(goingOn)
    return outcomes
  }

  async function commit(groups: readonly PacketGroup[]): Promise<Outcome[]> {
    const begun = performance.now()
    const stored = await commitPackets(
      pool,
      ...commitParameters(groups, scratch),
      options.packetTimeoutSeconds,
    )
    if (stored.some(({ created }) => created)) options.onCallsCreated()
    const tally = new Tally()
    const outcomes: Outcome[] = groups.map(() => 'locked')
    for (const result of stored) {
      const index = result.ordinal - 1
      const group = groups[index]
      if (group === undefined || result.outcome === 'locked') continue
      const told = receipts(group, result)
      outcomes[index] = told
      warnOfIrregularities(logger, group, told)
      if (result.outcome !== 'stored') continue
      if (result.call !== null) learn(group.callId, result.call)
      tally.add(group, lostBy(group, result.prior, told))
    }
    tally.tell(options, begun)
    return outcomes
  }

  return {
    wayOf: (callId, track) => {
      const call = numbers.get(callId)
      if (call === undefined) return 'long'
      return journal?.encodingOf(call, track) ?? 'short'
    },
    commit: async (groups) => {
      const known = numbered(groups)
      if (known === undefined) return await commit(groups)
      if (journal !== undefined && known.every((group) => journal.holds(group)))
        return await write(journal, known)
      try {
        return await append(known)
      } catch (error) {
        if (failureKind(error) !== 'lock') throw error
        // Only the long way sets a locked call aside; which one it is, is found there.
        for (const { callId } of groups) numbers.delete(callId)
        return await commit(groups)
      }
    },
  }
}

/** What a commit did, summed up group by group. */
class Tally {
  readonly #callIds: string[] = []
  #packets = 0
  #lost = 0

  add({ callId, packets }: PacketGroup, lost: number): void {
    this.#callIds.push(callId)
    this.#packets += packets
    this.#lost += lost
  }

  tell({ onCommitted }: BatchCommitOptions, begun: number): void {
    onCommitted?.({
      callIds: this.#callIds,
      packets: this.#packets,
      lost: this.#lost,
      milliseconds: performance.now() - begun,
    })
  }
}

function warnOfIrregularities(
  logger: Logger,
  group: PacketGroup,
  told: readonly (PacketReceipt | Error)[],
): void {
  const sequences = sequencesOf(group)
  for (const [place, receipt] of told.entries()) {
    if (receipt instanceof Error || !isIrregular(receipt)) continue
    const { duplicate, late, missing } = receipt
    logger.warn(
      {
        call_id: group.callId,
        track: group.track,
        sequence: sequences[place],
        duplicate,
        late,
        missing_packets: missing.length > 200 ? `${missing.slice(0, 200)}…` : missing,
      },
      duplicate ? 'packet is a duplicate' : late ? 'packet is late' : 'packet opens a gap',
    )
  }
}
