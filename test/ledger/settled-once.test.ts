// Whatever a database does to a group commit, and whenever: it fails, hangs, answers late, does not know whether it
// has stored a batch, finds calls locked. By hand: the database is a list, the clock and the timers the test's.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { GroupCommitLimits } from '../../src/ledger/group-commit.ts'
import { type Packet, trackNames } from '../../src/ledger/packet.ts'
import type { PacketGroup } from '../../src/ledger/packet-group.ts'
import type { Random } from '../../src/random.ts'
import { packetOf, packetsOf } from '../support/calls.ts'
import { type Failure, type HandCommit, openByHand } from '../support/hand-commit.ts'
import { send } from '../support/hand-packets.ts'
import { seededFor } from '../support/seed.ts'

const rounds = 300
const stepsPerRound = 25
const limits = { maxPackets: 40, maxBytes: 20_000, lockPatienceMs: 1e9 }
/** The payload of a packet that fits only where nothing else waits: a packet weighs 256 bytes more. */
const wholeRoom = limits.maxBytes - 256

test('packets one by one: each is settled once, in order, and gives its room back', async (t) => {
  const seen = await playMany(t, { ...limits, databasePatienceMs: 40 })
  for (const what of ['stored', 'database_unavailable', 'overloaded', 'internal'])
    assert.ok((seen.get(what) ?? 0) > 100, `${what} was hardly told`)
})

test('packets of streams: each is settled once, in order, and only its data can be refused', async (t) => {
  const seen = await playMany(t, { ...limits, refusesWhenFull: false, lingerMs: 80 })
  assert.deepEqual([...seen.keys()].toSorted(), ['internal', 'stored'])
})

test('however many calls come and go, one that is locked or in flight keeps its order', async () => {
  const hand = openByHand({ maxPackets: 1e6, maxBytes: 1e9, maxBatchPackets: 1e6 })
  const passing = async (from: number) => {
    for (let n = from; n < from + 15_000; n += 1) send(hand, `passing-${n}`, 1)
    while ((await hand.inFlight()) !== undefined) await (await hand.inFlight())?.answer()
  }
  await passing(0)
  send(hand, 'held', 1)
  await (await hand.inFlight())?.answer(() => 'locked')
  send(hand, 'in flight', 1)
  const batch = await hand.inFlight()
  for (let n = 0; n < 15_000; n += 1) send(hand, `new-${n}`, 1)
  for (const callId of ['held', 'in flight']) send(hand, callId, 2)
  await batch?.answer(() => 'locked')
  await hand.pass(5)
  await (await hand.inFlight())?.answer()
  await passing(15_000)
  const order = hand.told.map(({ what }) => what).filter((what) => /^(held|in flight)/.test(what))
  assert.deepEqual(order, ['held:1', 'held:2', 'in flight:1', 'in flight:2'])
})

/** Plays many histories; returns how often each thing was told. */
async function playMany(
  t: TestContext,
  change: Partial<GroupCommitLimits>,
): Promise<ReadonlyMap<string, number>> {
  const random = seededFor(t)
  const seen = new Map<string, number>()
  for (let round = 0; round < rounds; round += 1) {
    const history = new History(change, random)
    try {
      for (let step = 0; step < stepsPerRound; step += 1) await history.step()
      await history.end(change.refusesWhenFull !== false)
    } catch (error) {
      t.diagnostic(`round ${round}`)
      throw error
    }
    for (const { what } of history.hand.told) {
      const kind = what.includes(':') ? 'stored' : what
      seen.set(kind, (seen.get(kind) ?? 0) + 1)
    }
  }
  t.diagnostic([...seen].map(([what, times]) => `${times} ${what}`).join(', '))
  return seen
}

/** One history: what was sent, what the database has, what senders were told. */
class History {
  readonly hand: HandCommit
  readonly #random: Random
  readonly #sent: Packet[] = []
  readonly #refusedAtTheDoor = new Set<number>()
  readonly #stored = new Map<number, Packet>()
  #checked = 0

  constructor(change: Partial<GroupCommitLimits>, random: Random) {
    this.#random = random
    const maxBatchPackets = 1 + Math.floor(random() * 8)
    this.hand = openByHand({ ...change, maxBatchPackets })
  }

  /** Some packets come, the database does something or nothing, time passes. */
  async step(): Promise<void> {
    for (let count = this.#below(8); count > 0; count -= 1) this.#send()
    const batch = await this.hand.inFlight()
    if (batch !== undefined) {
      assertGroups(batch.groups)
      // Mostly it answers; else the batch stays in flight.
      const draw = this.#random()
      if (draw < 0.5) {
        const locked = new Set(batch.groups.filter(() => this.#random() < 0.2))
        this.#store(batch.groups.filter((group) => !locked.has(group)))
        await batch.answer((group) => (locked.has(group) ? 'locked' : 'stored'))
      } else if (draw < 0.8) {
        const failure: Failure = this.#oneOf(['unavailable', 'unavailable', 'lock', 'data'])
        // The answer to a commit may get lost.
        if (failure === 'unavailable' && this.#random() < 0.5) this.#store(batch.groups)
        await batch.fail(failure)
      }
    }
    await this.hand.pass(this.#oneOf([0, 1, 5, 39, 41, 100, 400]))
    this.#check()
  }

  /** From now on the database does its work: nothing that was sent stays unsettled. */
  async end(refusesWhenFull: boolean): Promise<void> {
    const close = this.#random() < 0.5 ? this.hand.commits.close() : undefined
    for (let tries = 0; ; tries += 1) {
      const batch = await this.hand.inFlight()
      const unsettled = this.#sent.length - this.hand.told.length
      if (batch === undefined && unsettled === 0) break
      assert.ok(tries < 1_000, `${unsettled} packets are never settled`)
      this.#store(batch?.groups ?? [])
      await batch?.answer()
      await this.hand.pass(250)
    }
    this.#check()
    await close
    if (close === undefined) await assertRoom(this.hand, refusesWhenFull)
  }

  /** Some packets of a track, one after the other in memory as well: most are of one size. */
  #send(): void {
    const callId = this.#oneOf(['a', 'b', 'c'])
    const track = this.#oneOf(trackNames.slice(0, 2))
    const sizes = Array.from({ length: 1 + this.#below(4) }, () =>
      this.#below(4) === 0 ? this.#below(600) : 100,
    )
    const memory = Buffer.alloc(sizes.reduce((sum, size) => sum + size, 0))
    let end = 0
    for (const size of sizes) {
      const start = end
      end += size
      memory.fill(this.#sent.length % 256, start, end)
      const change = { track, memory, start, end }
      const packet = packetOf(callId, this.#sent.length, change)
      const before = this.hand.told.length
      this.hand.commits.store(packet).catch(() => {})
      this.#sent.push(packet)
      if (this.hand.told.length > before) this.#refusedAtTheDoor.add(packet.sequence)
    }
  }

  #store(groups: readonly PacketGroup[]): void {
    for (const group of groups)
      for (const packet of packetsOf(group)) {
        this.#stored.set(packet.sequence, packet)
        const { sequence, memory, start, end } = packet
        const isWhole = memory.subarray(start, end).every((byte) => byte === sequence % 256)
        assert.ok(isWhole, `the payload of ${sequence} is another's`)
      }
  }

  /** What must hold at any time. */
  #check(): void {
    const { told } = this.hand
    const packets = told.map(({ packet }) => packet)
    const numbers = new Set(packets.map(({ sequence }) => sequence))
    assert.equal(numbers.size, packets.length, 'a packet was told twice')
    for (const { packet, what } of told.slice(this.#checked)) {
      if (what.includes(':'))
        assert.ok(this.#stored.has(packet.sequence), `${what} told, but not stored`)
      if (what === 'overloaded') assert.ok(this.#refusedAtTheDoor.has(packet.sequence), what)
    }
    this.#checked = told.length
    assertOrder('stored', this.#stored.values())
    assertOrder(
      'told',
      packets.filter(({ sequence }) => !this.#refusedAtTheDoor.has(sequence)),
    )
    for (const sequence of this.#refusedAtTheDoor)
      assert.ok(!this.#stored.has(sequence), 'stored, though it was refused at the door')
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #oneOf<T>(values: readonly T[]): T {
    const value = values[this.#below(values.length)]
    if (value === undefined) throw new RangeError('nothing to choose from')
    return value
  }
}

/** None is empty, and a track has one at most. */
function assertGroups(groups: readonly PacketGroup[]): void {
  const tracks = groups.map(({ callId, track }) => `${callId} ${track}`)
  assert.ok(
    groups.every((group) => packetsOf(group).length === group.packets && group.packets > 0),
    'a group is empty, or has not as many packets as it says',
  )
  assert.equal(new Set(tracks).size, groups.length, 'two groups of a track')
}

/** The packets of each track come in the order they were sent. */
function assertOrder(what: string, packets: Iterable<Packet>): void {
  const latest = new Map<string, number>()
  for (const { callId, track, sequence } of packets) {
    const key = `${callId} ${track}`
    assert.ok(sequence > (latest.get(key) ?? -1), `${key}: ${sequence} was ${what} too late`)
    latest.set(key, sequence)
  }
}

/** There is as much room as at the start, in packets and in bytes. */
async function assertRoom(hand: HandCommit, refusesWhenFull: boolean): Promise<void> {
  const { commits } = hand
  await hand.pass(250)
  const fills = [
    () => [send(hand, 'big', 1, { payload: Buffer.alloc(wholeRoom) })],
    () => Array.from({ length: limits.maxPackets }, (_, n) => send(hand, `call-${n}`, 1)),
  ]
  for (const fill of fills) {
    assert.equal(commits.isFull(), false)
    const sent = fill()
    assert.equal(commits.isFull(), true)
    const over = send(hand, 'over', 1)
    await hand.inFlight()
    assert.equal(over.told, refusesWhenFull ? 'overloaded' : undefined)
    for (let tries = 0; tries < 200; tries += 1) {
      await (await hand.inFlight())?.answer()
      await hand.pass(1)
    }
    for (const { told } of sent) assert.match(told ?? '', /:1$/)
  }
}
