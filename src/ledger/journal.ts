// The journal of one queue: packets that come a few at a time and go on where a track of it ends are made durable in
// a few rows a batch, and brought to their tracks and segments later, many at once. See migration 011 and decision 019.
import type { Pool } from '../database/pool.ts'
import { type Pulse, startPulse } from '../pulse.ts'
import type { Logger } from '../telemetry/logger.ts'
import { usual } from './batch.ts'
import type { GroupOutcome } from './group-commit.ts'
import { journalParameters } from './journal-entry.ts'
import { type PacketReceipt, type TrackName, trackNames } from './packet.ts'
import { isInSequence, type PacketGroup } from './packet-group.ts'
import {
  appendToJournal,
  closeJournal,
  holdTracks,
  openJournal,
  releaseCalls,
  settleJournal,
} from './statements.ts'

/** What a journal needs. */
export type JournalOptions = {
  readonly pool: Pool
  readonly logger: Logger
}

/** A group, and the number of its call. */
export type NumberedGroup = readonly [call: number, group: PacketGroup]

/** What is known of a track that goes on in the journal. */
type Held = {
  next: number
  readonly encoding: 'text' | 'binary'
  /** In which period it had its last packet. */
  period: number
}

/** A track that went on without the journal so far. */
type Run = { next: number; batches: number }

/** A track is held after so many batches of this process alone, each of few packets. */
const batchesBefore = 8
const fewPackets = 8
/** Larger packets are not worth being written twice, in bytes. */
const largestPayload = 16_384
const mostHeld = 50_000

/** What the journal holds is settled after so long, or when it is so many bytes of payload. */
const settleAfterMs = 600
const idleMs = 60_000
/** A track without a packet for so many of these periods is given back: its call may be over. */
const mostQuietPeriods = 2
const settleBytes = 2 ** 22
/** With more the next batch waits for it. */
const mostBytes = 2 ** 24

/** One journal. */
export class Journal {
  readonly #options: JournalOptions
  /** By {@link keyOf}. */
  readonly #held = new Map<number, Held>()
  readonly #runs = new Map<number, Run>()
  #number: number | undefined
  /** What went into it, and what of that is settled, in bytes of payload. */
  #added = 0
  #settled = 0
  /** Periods end when the journal is settled because it is time. */
  #period = 0
  #gaveBackIn = 0
  readonly #settling: Pulse

  constructor(options: JournalOptions) {
    this.#options = options
    this.#settling = startPulse({
      everyMs: idleMs,
      run: async () => {
        await this.#settle()
        this.#period += 1
        return this.#held.size > 0 ? settleAfterMs : undefined
      },
      onError: (error) => {
        options.logger.warn({ err: error }, 'the journal was not settled; trying again')
        this.#settling.wakeIn(settleAfterMs)
      },
    })
  }

  /** How the packets of a track are encoded here, if it is held. */
  encodingOf(call: number, track: TrackName): 'text' | 'binary' | undefined {
    return this.#held.get(keyOf(call, track))?.encoding
  }

  /** Whether the track of a group is held. */
  holds(group: NumberedGroup): boolean {
    return this.#held.has(keyOfGroup(group))
  }

  /** Makes groups of tracks that are held durable; what does not simply go on is for the ledger to try again. */
  async append(groups: readonly NumberedGroup[]): Promise<GroupOutcome<PacketReceipt>[]> {
    const leaving = new Set(groups.filter((group) => !this.#goesOn(group)).map(([call]) => call))
    const going = groups.filter(([call]) => !leaving.has(call))
    const quiet = this.#quietCalls(new Set(going.map(([call]) => call)))
    await this.#giveBack([...leaving, ...quiet])
    if (this.#added - this.#settled >= mostBytes) await this.#settle()
    const isStored = going.length > 0 && (await this.#store(going))
    return groups.map(([call, { packets }]) =>
      isStored && !leaving.has(call) ? Array<PacketReceipt>(packets).fill(usual) : 'again',
    )
  }

  /** Hears of groups that were stored without it, and went on where their track ends; they may be held from now on. */
  async offer(groups: readonly NumberedGroup[]): Promise<void> {
    const ripe = groups.filter((group) => this.#isRipe(group))
    if (ripe.length === 0 || this.#held.size + ripe.length > mostHeld) return
    const { pool, logger } = this.#options
    try {
      this.#number ??= (await openJournal(pool))[0]?.id
      if (this.#number === undefined) return
      const ofKey = new Map(ripe.map((group) => [keyOfGroup(group), group]))
      const calls = ripe.map(([call]) => call)
      const tracks = ripe.map(([, { track }]) => track)
      for (const { call, track, next } of await holdTracks(pool, this.#number, calls, tracks)) {
        const key = keyOf(call, track)
        const encoding = ofKey.get(key)?.[1].encoding
        if (encoding !== undefined) this.#held.set(key, { next, encoding, period: this.#period })
      }
    } catch (error) {
      // Whether they are held or not: without knowing of it, every packet goes the long way and comes to no harm.
      logger.warn({ err: error }, 'tracks were not given to the journal')
    }
  }

  /** Settles it for the last time. What fails here is settled by any other process. */
  async close(): Promise<void> {
    await this.#settling.stop()
    if (this.#number === undefined) return
    const { pool, logger } = this.#options
    try {
      await closeJournal(pool, this.#number, [...new Set([...this.#held.keys()].map(callOf))])
    } catch (error) {
      logger.warn({ err: error }, 'the journal was not closed; another process settles it')
    }
  }

  #goesOn(group: NumberedGroup): boolean {
    const { encoding, runs } = group[1]
    const held = this.#held.get(keyOfGroup(group))
    return (
      held !== undefined &&
      runs[0]?.sequence === held.next &&
      encoding === held.encoding &&
      isInSequence(group[1]) &&
      runs.every(({ size }) => size <= largestPayload)
    )
  }

  async #store(groups: readonly NumberedGroup[]): Promise<boolean> {
    const { pool } = this.#options
    if (this.#number === undefined) return false
    const { parameters, bytes } = journalParameters(groups)
    const [result] = await appendToJournal(pool, this.#number, ...parameters).catch((error) => {
      // It may be stored or not: that is for the tracks to say, when they are taken away from here.
      this.#abandon()
      throw error
    })
    if (result === undefined || (!result.stored && result.lost === null)) this.#abandon()
    for (const call of result?.lost ?? []) this.#forgetCall(call)
    if (result?.stored !== true) return false
    for (const group of groups) {
      const held = this.#held.get(keyOfGroup(group))
      if (held === undefined) continue
      held.next += group[1].packets
      held.period = this.#period
    }
    this.#settleSoon(bytes)
    return true
  }

  /** Gives the tracks of calls back, with all that is here of them. */
  async #giveBack(calls: readonly number[]): Promise<void> {
    if (calls.length === 0) return
    for (const call of calls) this.#forgetCall(call)
    await releaseCalls(this.#options.pool, calls, this.#number ?? null)
  }

  /** Calls of which no track had a packet lately, nor has one now; looked for once in a period. */
  #quietCalls(busy: ReadonlySet<number>): readonly number[] {
    if (this.#gaveBackIn === this.#period) return []
    this.#gaveBackIn = this.#period
    const quiet = new Set<number>()
    const heard = new Set(busy)
    for (const [key, { period }] of this.#held)
      (this.#period - period > mostQuietPeriods ? quiet : heard).add(callOf(key))
    return [...quiet].filter((call) => !heard.has(call))
  }

  #forgetCall(call: number): void {
    for (const track of trackNames) this.#held.delete(keyOf(call, track))
  }

  /** Nothing is known of it any more. What it holds is settled by whoever meets its tracks, or in a second by anybody. */
  #abandon(): void {
    this.#number = undefined
    this.#held.clear()
    this.#runs.clear()
    this.#settled = this.#added
  }

  #isRipe(group: NumberedGroup): boolean {
    const { runs, packets } = group[1]
    const [first] = runs
    if (first === undefined) return false
    const key = keyOfGroup(group)
    const run = this.#runs.get(key) ?? { next: first.sequence, batches: 0 }
    const goesOn = run.next === first.sequence && packets <= fewPackets
    run.batches = goesOn ? run.batches + 1 : 0
    run.next = first.sequence + packets
    const isRipe = run.batches >= batchesBefore
    if (isRipe) this.#runs.delete(key)
    else {
      if (this.#runs.size >= mostHeld) this.#runs.clear()
      this.#runs.set(key, run)
    }
    return isRipe
  }

  #settleSoon(bytes: number): void {
    this.#added += bytes
    if (this.#added - this.#settled >= settleBytes) this.#settling.wake()
    else this.#settling.wakeIn(settleAfterMs)
  }

  async #settle(): Promise<void> {
    const added = this.#added
    if (this.#number === undefined || this.#settled === added) return
    await settleJournal(this.#options.pool, this.#number)
    this.#settled = Math.max(this.#settled, added)
  }
}

/** One number for a call and a track. */
function keyOf(call: number, track: TrackName): number {
  return call * trackNames.length + trackNames.indexOf(track)
}

function keyOfGroup([call, { track }]: NumberedGroup): number {
  return keyOf(call, track)
}

function callOf(key: number): number {
  return Math.floor(key / trackNames.length)
}
