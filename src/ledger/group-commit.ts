// Self-clocked group commit: while one batch is being committed the next one fills, so an idle gateway commits
// at once and a busy one in ever larger groups. A call that another session holds locked is set aside and
// tried again on its own; a batch that fails is split until the culprit stands alone; a database that does
// not answer is told to the senders after a while, or waited for, as the limits say. Bounded in packets and
// bytes.
import { GatewayError } from '../errors.ts'
import type { Packet, PacketSender, TrackName } from './packet.ts'
import { eachOutcome, type PacketGroup, runOf } from './packet-group.ts'
import { PayloadMemory } from './payload-memory.ts'
import {
  type PendingRun,
  type TakenGroup,
  type TrackQueue,
  TrackQueues,
  weightOf,
} from './track-queue.ts'

/**
 * What became of a group: a receipt or an error for each packet; or nothing was done, and it is tried again: with the
 * next batch (`again`), or later and by itself (`locked`).
 */
export type GroupOutcome<Receipt> = readonly (Receipt | GatewayError)[] | 'again' | 'locked'

/** Limits of one group commit; times in milliseconds. */
export type GroupCommitLimits = {
  /** What may wait. */
  readonly maxPackets: number
  readonly maxBytes: number
  /** Beyond that packets are refused; else it is for the senders to pause (`isFull`). */
  readonly refusesWhenFull: boolean
  readonly maxBatchPackets: number
  readonly maxBatchBytes: number
  /** How long packets wait for company, so that those of a call share a row: 0 where somebody awaits each. */
  readonly lingerMs: number
  /** How long a packet may wait for a locked call before it is refused. */
  readonly lockPatienceMs: number
  /**
   * How long a packet may wait for a database that is slow or gone before it is refused; `Infinity`: for ever.
   * A commit in flight is given eight times the usual, if that is more.
   */
  readonly databasePatienceMs: number
}

/** What a group commit needs of its surroundings. */
export type GroupCommitOptions<Receipt> = {
  readonly limits: GroupCommitLimits
  /** Commits the groups in one transaction; at most one group per call and track, all of one kind. */
  readonly commit: (groups: readonly PacketGroup[]) => Promise<GroupOutcome<Receipt>[]>
  /** Tracks of different kinds go in batches of their own. */
  readonly kindOf?: (callId: string, track: TrackName) => string
  /** What a failed commit means: see `failureKind`. */
  readonly classify: (error: unknown) => 'data' | 'lock' | 'unavailable'
  readonly onError: (error: unknown, packets: number) => void
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number
  readonly setTimer: (run: () => void, milliseconds: number) => void
  /** The same, for a timer that need not go off when there is nothing else to do. */
  readonly setWatch: (run: () => void, milliseconds: number) => void
}

/** One queue in front of one connection. */
export type GroupCommit<Receipt> = {
  /** Hands a packet in; its sender is told once it is durable, or refused. */
  readonly store: (packet: Packet, sender: PacketSender<Receipt>) => void
  /** More waits than should: a sender that can wait had better do so. */
  readonly isFull: () => boolean
  /** Refuses new packets and resolves when those under way are settled. */
  readonly close: () => Promise<void>
}

const firstRetryMs = 5
const longestRetryMs = 250

/** Starts a group commit. */
export function createGroupCommit<Receipt>(
  options: GroupCommitOptions<Receipt>,
): GroupCommit<Receipt> {
  type Queue = TrackQueue<Receipt>
  type Taken = TakenGroup<Receipt>

  const { limits, now } = options
  const queues = new TrackQueues<Receipt>()
  const payloads = new PayloadMemory()
  /** Queues with packets for the next batch, and since when there are any. */
  let ready: Queue[] = []
  let readySince = 0
  /** Queues of calls that another session holds locked. */
  const parked = new Set<Queue>()
  let packets = 0
  let bytes = 0
  let running = false
  let wakeAt = Number.POSITIVE_INFINITY
  /** The database is gone: it is asked again then. */
  let pausedUntil = 0
  let pauseMs = 0
  /** The commit in flight has taken so long that its packets were refused; its outcome is open. */
  let stalled = false
  /** The batch in flight. */
  let inFlight: readonly Taken[] = []
  let batches = 0
  /** A moving average. It starts high: the first commits pay for connecting and planning. */
  let usualCommitMs = limits.databasePatienceMs
  let closing = false
  let onIdle: (() => void) | undefined
  let closed: Promise<void> | undefined

  function store(packet: Packet, sender: PacketSender<Receipt>): void {
    const refusal = refusalOf(packet)
    if (refusal !== undefined) {
      sender.settled(runOf(packet), refusal)
      return
    }
    packets += 1
    bytes += weightOf(packet, 1)
    const queue = queues.of(packet)
    queue.add(packet, payloads, sender, now())
    makeReady(queue)
    if (!running) schedule()
  }

  function refusalOf(packet: Packet): GatewayError | undefined {
    if (closing) return new GatewayError('shutting_down', 'This gateway is shutting down')
    if (stalled || (pausedUntil > 0 && pausedUntil - now() > limits.databasePatienceMs))
      return notAnswering()
    const isOver = packets >= limits.maxPackets || bytes + weightOf(packet, 1) > limits.maxBytes
    if (limits.refusesWhenFull && isOver)
      return new GatewayError('overloaded', 'Too many packets wait for the database')
    return undefined
  }

  function makeReady(queue: Queue): void {
    if (queue.isReady || queue.isEmpty || queue.retryAt > 0) return
    if (ready.length === 0) readySince = now()
    queue.isReady = true
    ready.push(queue)
  }

  /** Starts the next batch now, or sets the timer for when it is due. */
  function schedule(): void {
    const due = nextDue()
    if (due > now()) {
      wake(due)
      return
    }
    running = true
    // Packets that arrived in the same turn of the event loop go together.
    setImmediate(() => void run())
  }

  function nextDue(): number {
    if (ready.length === 0) return Math.min(...[...parked].map(({ retryAt }) => retryAt))
    const isUrgent = closing || packets >= limits.maxBatchPackets || bytes >= limits.maxBatchBytes
    return Math.max(pausedUntil, isUrgent ? 0 : readySince + limits.lingerMs)
  }

  function wake(due: number): void {
    // One timer: an earlier one looks at what is due then, and at when the next is.
    if (due >= wakeAt) return
    wakeAt = due
    options.setTimer(
      () => {
        wakeAt = Number.POSITIVE_INFINITY
        if (running) return
        unparkDue()
        schedule()
      },
      Math.max(1, due - now()),
    )
  }

  async function run(): Promise<void> {
    unparkDue()
    const groups = takeBatch()
    if (groups.length > 0) await commitTaken(groups)
    running = false
    unparkDue()
    schedule()
  }

  function unparkDue(): void {
    if (parked.size === 0) return
    const time = now()
    for (const queue of [...parked]) {
      if (queue.retryAt > time) continue
      parked.delete(queue)
      queue.retryAt = 0
      makeReady(queue)
    }
  }

  /** The next packets of one kind, grouped by call and track, within the limits of a batch. */
  function takeBatch(): Taken[] {
    const groups: Taken[] = []
    const left: Queue[] = []
    const [first] = ready
    const kind = first && options.kindOf?.(first.callId, first.track)
    let taken = 0
    let size = 0
    let next = 0
    while (taken < limits.maxBatchPackets && size < limits.maxBatchBytes) {
      const queue = ready[next]
      if (queue === undefined) break
      next += 1
      if (options.kindOf?.(queue.callId, queue.track) !== kind) {
        left.push(queue)
        continue
      }
      const group = queue.take(limits.maxBatchPackets - taken, limits.maxBatchBytes - size)
      groups.push(group)
      taken += group.packets
      size += group.bytes
      queue.isReady = !queue.isEmpty
      if (queue.isReady) left.push(queue)
    }
    ready = next === ready.length ? left : [...left, ...ready.slice(next)]
    return groups
  }

  async function commitTaken(groups: readonly Taken[]): Promise<void> {
    inFlight = groups
    watch()
    await commitGroups(groups)
    inFlight = []
    batches += 1
    stalled = false
  }

  async function commitGroups(groups: readonly Taken[]): Promise<void> {
    // The rest of a batch that was split: its packets may wait again, or be refused by now.
    if (!groups.some(({ isOpen }) => isOpen)) return
    const began = now()
    let outcomes: GroupOutcome<Receipt>[]
    try {
      outcomes = await options.commit(groups)
    } catch (error) {
      await handleFailure(groups, error)
      return
    }
    pauseMs = 0
    pausedUntil = 0
    // A database may become slow as a rule; one long stall says nothing of the next commit.
    usualCommitMs += (Math.min(now() - began, allowedMs()) - usualCommitMs) / 8
    for (const [index, group] of groups.entries()) {
      const outcome = outcomes[index] ?? 'locked'
      if (outcome === 'locked') park(group)
      else if (outcome === 'again') putBack(group)
      else settleGroup(group, (place) => outcome[place])
    }
  }

  async function handleFailure(groups: readonly Taken[], error: unknown): Promise<void> {
    options.onError(error, countPackets(groups))
    const kind = options.classify(error)
    if (kind === 'unavailable') {
      pauseMs = nextPause(pauseMs)
      pausedUntil = now() + pauseMs
      for (const group of inFlight) putBack(group)
      refuseOld(ready, limits.databasePatienceMs - pauseMs, notAnswering)
      ready = ready.filter(({ isEmpty }) => !isEmpty)
    } else if (groups.length > 1) {
      const half = groups.length >>> 1
      await commitGroups(groups.slice(0, half))
      await commitGroups(groups.slice(half))
    } else if (kind === 'lock') for (const group of groups) park(group)
    else {
      const refusal = new GatewayError('internal', 'The packet could not be stored', {
        cause: error,
      })
      for (const group of groups) settleGroup(group, () => refusal)
    }
  }

  function putBack(group: Taken): void {
    if (!decide(group)) return
    group.queue.putBack(group.runs)
    makeReady(group.queue)
  }

  /** Sets a locked call aside for a while. */
  function park(group: Taken): void {
    if (!decide(group)) return
    const { queue } = group
    queue.putBack(group.runs)
    if (queue.isReady) ready = ready.filter((other) => other !== queue)
    queue.isReady = false
    // What a packet waited for the database before is no wait for the lock.
    if (queue.pauseMs === 0) queue.lockedAt = now()
    queue.pauseMs = nextPause(queue.pauseMs)
    if (closing || now() - queue.lockedAt >= limits.lockPatienceMs)
      refuseOld([queue], limits.lockPatienceMs, lockedBy)
    if (queue.isEmpty) return
    queue.retryAt = now() + queue.pauseMs
    parked.add(queue)
  }

  /** Refuses packets that have waited for so long; at the close all of them. */
  function refuseOld(
    waiting: readonly Queue[],
    patienceMs: number,
    refusalFor: (queue: Queue) => GatewayError,
  ): void {
    const latest = closing ? Number.POSITIVE_INFINITY : now() - patienceMs
    for (const queue of waiting) {
      const refusal = refusalFor(queue)
      settle(queue.takeUntil(latest), () => refusal)
      forgetIfEmpty(queue)
    }
  }

  /** Tells the senders when a batch takes too long. It goes on, and may store their packets all the same. */
  function watch(): void {
    if (limits.databasePatienceMs === Number.POSITIVE_INFINITY) return
    const watched = batches
    options.setWatch(
      // The answer may have come, unread: a turn of the event loop reads it.
      () => setImmediate(() => watched === batches && giveUpWaiting()),
      allowedMs(),
    )
  }

  function allowedMs(): number {
    return Math.max(limits.databasePatienceMs, 8 * usualCommitMs)
  }

  function giveUpWaiting(): void {
    stalled = true
    const refusal = notAnswering()
    for (const group of inFlight) settleGroup(group, () => refusal)
    refuseOld([...ready, ...parked], 0, notAnswering)
    ready = []
    parked.clear()
  }

  function settleGroup(
    group: Taken,
    outcomeOf: (place: number) => Receipt | GatewayError | undefined,
  ): void {
    if (!decide(group)) return
    group.queue.pauseMs = 0
    settle(group.runs, outcomeOf)
    forgetIfEmpty(group.queue)
  }

  function settle(
    runs: readonly PendingRun<Receipt>[],
    outcomeOf: (place: number) => Receipt | GatewayError | undefined,
  ): void {
    let place = 0
    for (const run of runs) {
      const { sender, piece, timestamps } = run
      packets -= timestamps.length
      bytes -= weightOf(run, timestamps.length)
      eachOutcome(
        run,
        (nth) => outcomeOf(place + nth),
        (part, outcome) =>
          sender.settled(part, outcome ?? new GatewayError('internal', 'No receipt came')),
      )
      place += timestamps.length
      // A commit that was given up may still read it: nothing is taken, and written there, until it is over.
      payloads.release(piece, timestamps.length)
    }
    if (packets === 0) onIdle?.()
  }

  /** Forgets that a call was locked when its last packet is settled. */
  function forgetIfEmpty(queue: Queue): void {
    if (queue.isEmpty) queue.reset()
  }

  return {
    store,
    isFull: () => packets >= limits.maxPackets || bytes >= limits.maxBytes,
    close: () => {
      closed ??= new Promise((resolve) => {
        closing = true
        onIdle = resolve
        if (packets === 0) resolve()
        // What waits gets one more try, now.
        pausedUntil = 0
        for (const queue of parked) queue.retryAt = 1
        unparkDue()
        if (!running && packets > 0) schedule()
      })
      return closed
    },
  }
}

/** Takes the decision over a group in flight; false when it was taken before. */
function decide(group: { isOpen: boolean }): boolean {
  const { isOpen } = group
  group.isOpen = false
  return isOpen
}

function nextPause(pauseMs: number): number {
  return Math.min(Math.max(firstRetryMs, pauseMs * 2), longestRetryMs)
}

function notAnswering(): GatewayError {
  return new GatewayError('database_unavailable', 'The database does not answer')
}

function lockedBy({ callId }: { callId: string }): GatewayError {
  return new GatewayError('call_locked', `Call ${callId} is locked by another session`)
}

function countPackets(groups: readonly PacketGroup[]): number {
  return groups.reduce((sum, group) => sum + group.packets, 0)
}
