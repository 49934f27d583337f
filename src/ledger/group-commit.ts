// Self-clocked group commit: while one batch is being committed the next one fills; there is no timer, so an
// idle gateway commits at once and a busy one in ever larger groups. A call that another session holds
// locked is parked and tried again on its own; a batch that fails is split until the culprit stands alone;
// a database that is gone is retried until the packets' patience ends. Bounded in packets and in bytes.
import { GatewayError } from '../errors.ts'
import type { PacketGroup } from './batch.ts'
import type { Packet } from './packet.ts'

/** A packet on its way, and whom to tell. */
export type PendingPacket<Receipt> = Packet & {
  readonly arrivedAt: number
  readonly resolve: (receipt: Receipt) => void
  readonly reject: (error: unknown) => void
}

/** What became of a group: a receipt or an error for each packet, or `locked`: nothing was done. */
export type GroupOutcome<Receipt> = readonly (Receipt | GatewayError)[] | 'locked'

/** Limits of one group commit; times in milliseconds. */
export type GroupCommitLimits = {
  readonly maxPackets: number
  readonly maxBytes: number
  readonly maxBatchPackets: number
  readonly maxBatchBytes: number
  /** How long a packet may wait for a locked call or a lost database before it is refused. */
  readonly patienceMs: number
}

/** What a group commit needs of its surroundings. */
export type GroupCommitOptions<Receipt> = {
  readonly limits: GroupCommitLimits
  /** Commits the groups in one transaction; at most one group per call and track. */
  readonly commit: (groups: PacketGroup[]) => Promise<GroupOutcome<Receipt>[]>
  /** What a failed commit means: see `failureKind`. */
  readonly classify: (error: unknown) => 'data' | 'lock' | 'unavailable'
  readonly onError: (error: unknown, packets: number) => void
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number
  readonly setTimer: (run: () => void, milliseconds: number) => void
}

/** One queue in front of one connection. */
export type GroupCommit<Receipt> = {
  /** Resolves once the packet is durable; rejects with a {@link GatewayError}. */
  readonly store: (packet: Packet) => Promise<Receipt>
  /** Refuses new packets and resolves when those under way are settled. */
  readonly close: () => Promise<void>
}

const firstRetryMs = 5
const longestRetryMs = 250

/** Starts a group commit. */
export function createGroupCommit<Receipt>(
  options: GroupCommitOptions<Receipt>,
): GroupCommit<Receipt> {
  type Pending = PendingPacket<Receipt>
  type Group = PacketGroup<Pending>
  type Parked = { readonly packets: Pending[]; pauseMs: number; retryAt: number }

  const { limits, now } = options
  const parked = new Map<string, Parked>()
  let queue: Pending[] = []
  let packets = 0
  let bytes = 0
  let running = false
  let wakeAt = Number.POSITIVE_INFINITY
  let closing = false
  let onIdle: (() => void) | undefined
  let closed: Promise<void> | undefined

  function store(packet: Packet): Promise<Receipt> {
    if (closing)
      return Promise.reject(new GatewayError('shutting_down', 'This gateway is shutting down'))
    if (packets >= limits.maxPackets || bytes + packet.payload.length > limits.maxBytes)
      return Promise.reject(
        new GatewayError('overloaded', 'Too many packets wait for the database'),
      )
    return new Promise((resolve, reject) => {
      packets += 1
      bytes += packet.payload.length
      queue.push({ ...packet, arrivedAt: now(), resolve, reject })
      start()
    })
  }

  function start(): void {
    if (running) return
    running = true
    // Packets that arrived in the same turn of the event loop go together.
    setImmediate(() => void run())
  }

  async function run(): Promise<void> {
    while (true) {
      unparkDue()
      const groups = takeBatch()
      if (groups.length === 0) break
      await commitGroups(groups)
    }
    running = false
    if (packets === 0) onIdle?.()
    else if (queue.length === 0) wakeForParked()
    else start()
  }

  /** Puts the packets whose pause is over in front of the queue, where later ones of their calls are. */
  function unparkDue(): void {
    const due: Pending[] = []
    for (const waiting of parked.values())
      if (waiting.retryAt <= now()) due.push(...waiting.packets.splice(0))
    if (due.length > 0) queue = [...due, ...queue]
  }

  function unpark(callId: string): void {
    const waiting = parked.get(callId)
    if (waiting === undefined) return
    parked.delete(callId)
    if (waiting.packets.length > 0) queue = [...waiting.packets, ...queue]
  }

  function wakeForParked(): void {
    const next = Math.min(...[...parked.values()].map(({ retryAt }) => retryAt))
    // One timer: an earlier one looks at what is due then, and at when the next is.
    if (next >= wakeAt) return
    wakeAt = next
    options.setTimer(
      () => {
        wakeAt = Number.POSITIVE_INFINITY
        start()
      },
      Math.max(1, next - now()),
    )
  }

  /**
   * The next packets of the queue, grouped by call and track, within the limits of a batch. Those of a call
   * that is set aside go behind its earlier ones.
   */
  function takeBatch(): Group[] {
    const groups = new Map<string, { callId: string; packets: Pending[] }>()
    let seen = 0
    let taken = 0
    let size = 0
    for (const pending of queue) {
      if (taken >= limits.maxBatchPackets || (taken > 0 && size >= limits.maxBatchBytes)) break
      const waiting = parked.get(pending.callId)
      if (waiting !== undefined && waiting.packets.length > 0) {
        waiting.packets.push(pending)
        seen += 1
        continue
      }
      const key = `${pending.track} ${pending.callId}`
      const group = groups.get(key)
      if (group === undefined) groups.set(key, { callId: pending.callId, packets: [pending] })
      else if (group.packets[0]?.encoding !== pending.encoding) break
      else group.packets.push(pending)
      seen += 1
      taken += 1
      size += pending.payload.length
    }
    queue = seen === queue.length ? [] : queue.slice(seen)
    return [...groups.values()]
  }

  async function commitGroups(groups: Group[]): Promise<void> {
    let outcomes: GroupOutcome<Receipt>[]
    try {
      outcomes = await options.commit(groups)
    } catch (error) {
      await handleFailure(groups, error)
      return
    }
    for (const [index, group] of groups.entries()) {
      const outcome = outcomes[index] ?? 'locked'
      if (outcome === 'locked') park(group)
      else {
        unpark(group.callId)
        for (const [place, pending] of group.packets.entries()) settle(pending, outcome[place])
      }
    }
  }

  async function handleFailure(groups: Group[], error: unknown): Promise<void> {
    const kind = options.classify(error)
    options.onError(
      error,
      groups.reduce((sum, group) => sum + group.packets.length, 0),
    )
    if (kind === 'unavailable') {
      for (const group of groups) park(group, 'database_unavailable')
    } else if (groups.length > 1) {
      const half = groups.length >>> 1
      await commitGroups(groups.slice(0, half))
      await commitGroups(groups.slice(half))
    } else if (kind === 'lock') for (const group of groups) park(group)
    else {
      const refusal = new GatewayError('internal', 'The packet could not be stored', {
        cause: error,
      })
      for (const group of groups) {
        unpark(group.callId)
        for (const pending of group.packets) settle(pending, refusal)
      }
    }
  }

  /** Sets a call aside for a while; its packets that have waited too long are refused. */
  function park(
    group: Group,
    reason: 'call_locked' | 'database_unavailable' = 'call_locked',
  ): void {
    const message =
      reason === 'call_locked'
        ? `Call ${group.callId} is locked by another session`
        : 'The database does not answer'
    const kept = group.packets.filter((pending) => {
      const patient = now() - pending.arrivedAt < limits.patienceMs && !closing
      if (!patient) settle(pending, new GatewayError(reason, message))
      return patient
    })
    const before = parked.get(group.callId)
    if (kept.length === 0 && (before === undefined || before.packets.length === 0)) {
      parked.delete(group.callId)
      return
    }
    const pauseMs =
      before === undefined ? firstRetryMs : Math.min(before.pauseMs * 2, longestRetryMs)
    parked.set(group.callId, {
      packets: [...kept, ...(before?.packets ?? [])],
      pauseMs,
      retryAt: now() + pauseMs,
    })
  }

  function settle(pending: Pending, outcome: Receipt | GatewayError | undefined): void {
    packets -= 1
    bytes -= pending.payload.length
    if (outcome === undefined || outcome instanceof GatewayError)
      pending.reject(outcome ?? new GatewayError('internal', 'The packet has no receipt'))
    else pending.resolve(outcome)
  }

  return {
    store,
    close: () => {
      closed ??= new Promise((resolve) => {
        closing = true
        onIdle = resolve
        if (packets === 0) resolve()
        // What is parked gets one more try, now.
        for (const waiting of parked.values()) waiting.retryAt = 0
        if (parked.size > 0) start()
      })
      return closed
    },
  }
}
