import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { GatewayError } from '../../src/errors.ts'
import { type AccountMessage, SocketAccount } from '../../src/intake/socket-account.ts'
import { type PacketReceipt, type TrackName, trackNames } from '../../src/ledger/packet.ts'
import { runOf } from '../../src/ledger/packet-group.ts'
import { packetOf, runsOf } from '../support/calls.ts'

const inOrder: PacketReceipt = { duplicate: false, late: false, opensGap: false, missing: '' }
const sealed = new GatewayError('call_sealed', 'The analysis of the call has begun')

/** An account, and what it has said. */
function openAccount() {
  const said: AccountMessage[] = []
  const account = new SocketAccount((messages) => said.push(...messages))
  const packets = (callId: string, track: TrackName, sequences: readonly number[]) =>
    sequences.map((sequence) => packetOf(callId, sequence, { track }))
  return {
    account,
    said,
    send: (callId: string, track: TrackName, ...sequences: number[]) => {
      for (const packet of packets(callId, track, sequences)) account.sent(packet)
    },
    /** One commit. */
    settle: async (
      callId: string,
      track: TrackName,
      sequences: readonly number[],
      outcome: PacketReceipt | GatewayError = inOrder,
    ) => {
      for (const run of runsOf(packets(callId, track, sequences))) account.settled(run, outcome)
      await Promise.resolve()
    },
  }
}

const ack = {
  type: 'ack',
  call_id: 'a',
  track: 'mixed',
  duplicates: 0,
  late: 0,
  missing_packets: '',
}

suite('an ack', () => {
  test('is one for all packets of a commit, and counts from the first of the socket', async () => {
    const { said, send, settle } = openAccount()
    send('a', 'mixed', 1, 2, 3)
    await settle('a', 'mixed', [1, 2])
    await settle('a', 'mixed', [3])
    assert.deepEqual(said, [
      { ...ack, through: 2, packets: 2 },
      { ...ack, through: 3, packets: 3 },
    ])
  })

  test('goes through the last packet in the order of sending, whatever its number', async () => {
    const { said, send, settle } = openAccount()
    send('a', 'mixed', 9, 4)
    await settle('a', 'mixed', [9, 4])
    assert.deepEqual([said[0]?.through, said[0]?.packets], [4, 2])
  })

  test('has the duplicates and late packets since the last one, and what is missing now', async () => {
    const { said, send, settle } = openAccount()
    send('a', 'mixed', 5, 5, 3, 4)
    await settle('a', 'mixed', [5, 5], { ...inOrder, duplicate: true, missing: '1-4' })
    await settle('a', 'mixed', [3], { ...inOrder, late: true, missing: '1,2,4' })
    await settle('a', 'mixed', [4])
    assert.deepEqual(
      said.map(({ duplicates, late, missing_packets: missing }) => [duplicates, late, missing]),
      [
        [2, 0, '1-4'],
        [0, 1, '1,2,4'],
        [0, 0, ''],
      ],
    )
  })

  test('comes after the error that tells of all packets of the commit that were refused', async () => {
    const { said, send, settle } = openAccount()
    send('a', 'mixed', 7, 8, 9)
    await settle('a', 'mixed', [7, 8, 9], sealed)
    assert.deepEqual(said, [
      {
        type: 'error',
        code: 'call_sealed',
        detail: sealed.message,
        call_id: 'a',
        track: 'mixed',
        sequence: 7,
        packets: 3,
      },
      { ...ack, through: 9, packets: 3 },
    ])
  })

  test('is of one track and call: every packet is in exactly one, whatever is settled together', async () => {
    const calls = ['a', 'b'] as const
    const one = fc.record({
      callId: fc.constantFrom(...calls),
      track: fc.constantFrom(...trackNames),
      count: fc.integer({ min: 1, max: 3 }),
      outcome: fc.constantFrom(inOrder, { ...inOrder, duplicate: true }, sealed),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(one, { maxLength: 8 }), { maxLength: 8 }), async (all) => {
        const { account, said } = openAccount()
        let sequence = 0
        const commits = all.map((commit) =>
          commit.flatMap(({ callId, track, count, outcome }) => {
            const first = sequence + 1
            sequence += count
            const packets = Array.from({ length: count }, (_, nth) =>
              packetOf(callId, first + nth, { track }),
            )
            for (const packet of packets) account.sent(packet)
            return runsOf(packets).map((run) => ({ run, outcome }))
          }),
        )
        const counts = { ack: 0, duplicates: 0, refused: 0 }
        for (const commit of commits) {
          said.length = 0
          for (const { run, outcome } of commit) account.settled(run, outcome)
          await Promise.resolve()
          const acks = said.filter(({ type }) => type === 'ack')
          const touched = new Set(commit.map(({ run }) => `${run.callId} ${run.track}`))
          assert.equal(acks.length, touched.size)
          for (const { call_id: callId, track, through } of acks) {
            const last = commit.findLast(
              ({ run }) => run.callId === callId && run.track === track,
            )?.run
            assert.equal(through, (last?.sequence ?? 0) + (last?.timestamps.length ?? 0) - 1)
          }
          counts.ack += acks.length
          for (const { duplicates = 0 } of acks) counts.duplicates += Number(duplicates)
          for (const { type, packets } of said)
            if (type === 'error') counts.refused += Number(packets)
        }
        const outcomes = commits
          .flat()
          .flatMap(({ run, outcome }) => run.timestamps.map(() => outcome))
        assert.equal(counts.refused, outcomes.filter((outcome) => outcome === sealed).length)
        const duplicates = outcomes.filter((outcome) => 'duplicate' in outcome && outcome.duplicate)
        assert.equal(counts.duplicates, duplicates.length)
      }),
      { numRuns: 300 },
    )
  })
})

test('the acks of all calls that a commit settled are handed over together', async () => {
  const handedOver: unknown[] = []
  const account = new SocketAccount((messages) =>
    handedOver.push(messages.map(({ call_id }) => call_id)),
  )
  const packets = ['a', 'b', 'c'].map((callId) => packetOf(callId, 1))
  for (const packet of packets) account.sent(packet)
  for (const packet of packets.slice(0, 2)) account.settled(runOf(packet), inOrder)
  await Promise.resolve()
  for (const packet of packets.slice(2)) account.settled(runOf(packet), inOrder)
  await Promise.resolve()
  assert.deepEqual(handedOver, [['a', 'b'], ['c']])
})

suite('what waits for the packets of a call', () => {
  test('is called at once when none is on its way, and of other calls there may be', () => {
    const { account, send } = openAccount()
    send('b', 'mixed', 1)
    let calls = 0
    account.whenSettled('a', () => {
      calls += 1
    })
    assert.equal(calls, 1)
  })

  test('is called after the acks of all tracks, and not before the last of them', async () => {
    const { account, said, send, settle } = openAccount()
    send('a', 'inbound', 1)
    send('a', 'outbound', 1)
    const heard: number[] = []
    account.whenSettled('a', () => heard.push(said.length))
    await settle('a', 'inbound', [1])
    assert.deepEqual(heard, [])
    await settle('a', 'outbound', [1])
    assert.deepEqual(heard, [2])
  })

  test('does not wait for packets that were sent after it: a sender may never pause', async () => {
    const { account, send, settle } = openAccount()
    send('a', 'mixed', 1)
    let isCalled = false
    account.whenSettled('a', () => {
      isCalled = true
    })
    send('a', 'mixed', 2)
    send('a', 'inbound', 1)
    await settle('a', 'mixed', [1])
    assert.ok(isCalled)
  })

  test('is called each, when there are several', async () => {
    const { account, send, settle } = openAccount()
    send('a', 'mixed', 1)
    const heard: string[] = []
    for (const name of ['first', 'second']) account.whenSettled('a', () => heard.push(name))
    await settle('a', 'mixed', [1])
    assert.deepEqual(heard, ['first', 'second'])
  })
})

suite('a call that was forgotten', () => {
  test('is counted from nothing', async () => {
    const { account, said, send, settle } = openAccount()
    send('a', 'mixed', 1, 2)
    await settle('a', 'mixed', [1, 2])
    account.forget('a')
    send('a', 'mixed', 3)
    await settle('a', 'mixed', [3])
    assert.deepEqual(said.at(-1), { ...ack, through: 3, packets: 1 })
  })

  test('is not, while packets of it are on their way: they are waited for as before', async () => {
    const { account, said, send, settle } = openAccount()
    send('a', 'mixed', 1)
    await settle('a', 'mixed', [1])
    send('a', 'mixed', 2)
    account.forget('a')
    const heard: number[] = []
    account.whenSettled('a', () => heard.push(said.length))
    assert.equal(heard.length, 0)
    await settle('a', 'mixed', [2])
    assert.deepEqual(said.at(-1), { ...ack, through: 2, packets: 2 })
    assert.deepEqual(heard, [2])
    let isCalledAgain = false
    account.whenSettled('a', () => {
      isCalledAgain = true
    })
    assert.ok(isCalledAgain)
  })
})
