import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { OrderOfArrival } from '../../src/intake/order-of-arrival.ts'
import { type TrackName, trackNames } from '../../src/ledger/packet.ts'

type Step = {
  readonly what: 'sent' | 'settled' | 'skipped'
  readonly track: TrackName
  readonly packets?: number
}

/** The same with a list of all packets, looked through from the first. */
class NaiveOrder {
  readonly #packets: { track: TrackName; isSettled: boolean }[] = []

  sent(track: TrackName, isSettled = false): void {
    this.#packets.push({ track, isSettled })
  }

  /** How many there are: no more of the track may be on their way. */
  settled(track: TrackName, most: number): number {
    const onTheWay = this.#packets.filter((packet) => packet.track === track && !packet.isSettled)
    const oldest = onTheWay.slice(0, most)
    for (const packet of oldest) packet.isSettled = true
    return oldest.length
  }

  count(): number {
    const open = this.#packets.findIndex(({ isSettled }) => !isSettled)
    return open === -1 ? this.#packets.length : open
  }
}

/** Takes the steps that are possible; fails where the two do not agree. */
function assertSame(steps: Iterable<Step>): void {
  const order = new OrderOfArrival()
  const naive = new NaiveOrder()
  for (const { what, track, packets = 1 } of steps) {
    if (what === 'sent') {
      order.sent(track)
      naive.sent(track)
    } else if (what === 'skipped') {
      order.skipped()
      naive.sent(track, true)
    } else order.settled(track, naive.settled(track, packets))
    assert.equal(order.settledFromTheFirst(), naive.count())
  }
}

const anyStep = fc.record<Step>({
  what: fc.constantFrom('sent', 'sent', 'settled', 'settled', 'skipped'),
  track: fc.constantFrom(...trackNames),
  packets: fc.integer({ min: 1, max: 5 }),
})

suite('what is settled without a hole', () => {
  test('is nothing of nothing', () => assert.equal(new OrderOfArrival().settledFromTheFirst(), 0))

  test('ends at the first packet that is on its way, on whichever track', () => {
    const order = new OrderOfArrival()
    for (const track of ['mixed', 'inbound', 'mixed'] as const) order.sent(track)
    order.settled('mixed', 2)
    assert.equal(order.settledFromTheFirst(), 1)
    order.settled('inbound', 1)
    assert.equal(order.settledFromTheFirst(), 3)
  })

  test('goes beyond packets that were refused as they came', () => {
    const order = new OrderOfArrival()
    order.skipped()
    order.sent('mixed')
    order.skipped()
    assert.equal(order.settledFromTheFirst(), 1)
    order.settled('mixed', 1)
    assert.equal(order.settledFromTheFirst(), 3)
  })

  test('is what a look at all packets would find, in whatever order they are settled', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 200 }), (steps) => assertSame(steps)),
      { numRuns: 500 },
    )
  })

  test('is right as well where thousands are on their way', () => {
    function* steps(): Generator<Step> {
      for (let turn = 0; turn < 1_500; turn += 1) {
        yield { what: 'sent', track: 'inbound' }
        yield { what: 'sent', track: 'outbound' }
        // The other track falls far behind.
        if (turn > 100) yield { what: 'settled', track: 'inbound' }
        if (turn % 3 === 0) yield { what: 'settled', track: 'outbound' }
      }
      for (let turn = 0; turn < 1_500; turn += 1) yield { what: 'settled', track: 'outbound' }
    }
    assertSame(steps())
  })
})
