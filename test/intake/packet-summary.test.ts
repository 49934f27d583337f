// The sum of a stream, with a ledger in the hands of the test: how lines are cut out of chunks, and what is
// said when not everything was settled.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { PartlyDone } from '../../src/border/refusals.ts'
import { InvalidInput } from '../../src/border/validation.ts'
import { GatewayError } from '../../src/errors.ts'
import { type PacketSummary, storeAll, storeLines } from '../../src/intake/packet-summary.ts'
import type { Packet, PacketReceipt, PacketSender } from '../../src/ledger/packet.ts'
import { contentOf, runsOf } from '../support/calls.ts'
import { lineOf } from '../support/line-stream.ts'

const receipt: PacketReceipt = { duplicate: false, late: false, opensGap: false, missing: '' }
const never = new Promise<void>(() => {})
const longestLine = 100
const patienceMs = 30_000

/** A ledger that settles when it is told to, and what it was given. */
function openByHand() {
  const given: Packet[] = []
  let waiting: { packet: Packet; sender: PacketSender }[] = []
  return {
    given,
    options: {
      callId: 'call',
      track: 'mixed' as const,
      now: () => new Date(0),
      ledger: {
        append: (packet: Packet, sender: PacketSender) => {
          given.push(packet)
          waiting.push({ packet, sender })
          return true
        },
      },
    },
    /** Settles those on their way that are of the kind, in order. */
    settle: (
      isDue: (packet: Packet) => boolean = () => true,
      outcome: PacketReceipt | GatewayError = receipt,
    ) => {
      const due = waiting.filter(({ packet }) => isDue(packet))
      waiting = waiting.filter(({ packet }) => !isDue(packet))
      for (const run of runsOf(due.map(({ packet }) => packet)))
        due[0]?.sender.settled(run, outcome)
    },
  }
}

/** A stream that is written to by hand. */
function openChunks() {
  const chunks: Buffer[] = []
  let isEnded = false
  let wake = () => {}
  return {
    write: (text: string) => {
      chunks.push(Buffer.from(text))
      wake()
    },
    end: () => {
      isEnded = true
      wake()
    },
    chunks: (async function* () {
      while (true) {
        const chunk = chunks.shift()
        if (chunk !== undefined) yield chunk
        else if (isEnded) return
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    })(),
  }
}

async function* of(parts: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* parts
}

/** What was done of a stream that failed. */
async function partOf(sum: Promise<PacketSummary>): Promise<PartlyDone> {
  const error: unknown = await sum.then(
    () => assert.fail('it did not fail'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof PartlyDone, String(error))
  return error
}

suite('lines', () => {
  const anyLine = fc.oneof(
    fc.nat({ max: 9 }).map((sequence) => lineOf(sequence, { data: '☎️é' })),
    fc.constantFrom(
      '',
      '\r',
      ' ',
      '{}',
      'nonsense',
      '☎️',
      `${lineOf(1)}\r`,
      lineOf(2, { more: 'y'.repeat(99) }),
    ),
  )

  test('are the same, and so are their problems, wherever the chunks are cut', async () => {
    async function take(parts: readonly Buffer[]) {
      const { options, given, settle } = openByHand()
      const sum = storeLines(options, of(parts), longestLine, never).then(
        (summary) => [summary, []],
        (error: unknown) => {
          assert.ok(error instanceof PartlyDone && error.cause instanceof InvalidInput)
          return [error.done, error.cause.problems]
        },
      )
      while (given.length < 100 && !(await Promise.race([sum.then(() => true), turn(false)])))
        settle()
      return { said: await sum, given: given.map(contentOf) }
    }
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyLine, { maxLength: 8 }),
        fc.boolean(),
        fc.array(fc.nat({ max: 600 }), { maxLength: 30 }),
        async (lines, hasEnd, places) => {
          const text = Buffer.from(lines.join('\n') + (hasEnd ? '\n' : ''))
          const cuts = [0, ...places.filter((place) => place < text.length), text.length].sort(
            (a, b) => a - b,
          )
          const parts = cuts.slice(1).map((cut, index) => text.subarray(cuts[index], cut))
          assert.deepEqual(await take(parts), await take([text]))
          assert.deepEqual(await take([...text].map((byte) => Buffer.of(byte))), await take([text]))
        },
      ),
      { numRuns: 100 },
    )
  })
})

suite('a stream that fails says how many packets are settled without a hole', () => {
  const text = [1, 2, 3]
    .flatMap((sequence) => ['inbound', 'outbound'].map((track) => lineOf(sequence, { track })))
    .join('\n')

  test('when the database gives no sign for half a minute', async (t) => {
    const { options, given, settle } = openByHand()
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const sum = storeLines(options, of([Buffer.from(text)]), longestLine, never)
    await turn()
    assert.equal(given.length, 6)
    settle(({ track, sequence }) => track === 'inbound' || sequence === 1)
    t.mock.timers.tick(patienceMs)
    await turn()
    const refused = partOf(sum)
    t.mock.timers.tick(patienceMs)
    const { cause, done } = await refused
    assert.ok(cause instanceof GatewayError)
    assert.equal(cause.code, 'database_unavailable')
    assert.deepEqual([done.packets, done.accepted, done.refused], [3, 4, 0])
  })

  test('but not while it settles a packet now and then', async (t) => {
    const { options, settle } = openByHand()
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const sum = storeLines(options, of([Buffer.from(text)]), longestLine, never)
    for (const sequence of [1, 2, 3]) {
      await turn()
      settle((packet) => packet.sequence === sequence)
      t.mock.timers.tick(patienceMs)
    }
    assert.equal((await sum).packets, 6)
  })

  test('when a packet is refused: at once, though the sender pauses, and nothing more is taken', async () => {
    const { options, given, settle } = openByHand()
    const { chunks, write } = openChunks()
    const sum = storeLines(options, chunks, longestLine, never)
    write(`${lineOf(1)}\n${lineOf(2)}\n`)
    await turn()
    settle(({ sequence }) => sequence === 1)
    settle(() => true, new GatewayError('call_sealed', 'no'))
    const { done, cause } = await partOf(sum)
    assert.ok(cause instanceof GatewayError && cause.code === 'call_sealed')
    assert.deepEqual([done.packets, done.accepted, done.refused], [2, 1, 1])
    write(`${lineOf(3)}\n`)
    await turn()
    assert.equal(given.length, 2)
  })

  test('when the gateway leaves, after what it has read is settled; and no more is read', async () => {
    const { options, given, settle } = openByHand()
    const { chunks, write } = openChunks()
    const { promise: leaving, resolve: leave } = Promise.withResolvers<void>()
    const sum = storeLines(options, chunks, longestLine, leaving)
    write(`${lineOf(1)}\n${lineOf(2)}\n${lineOf(3).slice(0, 5)}`)
    await turn()
    leave()
    await turn()
    write(`${lineOf(4)}\n`)
    await turn()
    settle()
    const { done, cause } = await partOf(sum)
    assert.ok(cause instanceof GatewayError && cause.code === 'shutting_down')
    assert.deepEqual([done.packets, done.accepted, given.length], [2, 2, 2])
  })

  test('but not when it leaves after the end of the stream: then all of it is settled', async () => {
    const { options, settle } = openByHand()
    const { promise: leaving, resolve: leave } = Promise.withResolvers<void>()
    const sum = storeLines(options, of([Buffer.from(text)]), longestLine, leaving)
    await turn()
    leave()
    await turn()
    settle()
    assert.equal((await sum).packets, 6)
  })

  test('for an array as for lines', async () => {
    const { options, settle } = openByHand()
    const sum = storeAll(options, [JSON.parse(lineOf(1)), 'none', JSON.parse(lineOf(2))])
    settle(({ sequence }) => sequence === 1)
    settle(() => true, new GatewayError('call_locked', 'no'))
    const { done } = await partOf(sum)
    assert.deepEqual([done.packets, done.accepted, done.refused], [3, 1, 2])
  })
})
