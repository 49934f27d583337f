// Events in batches: the bytes of all of them, in order, and of those after any position.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchesOf } from '../../src/feed/batch.ts'
import type { FeedEvent } from '../../src/feed/event-log.ts'
import { eventMessage } from '../../src/feed/messages.ts'
import { textsIn } from '../support/feed-client.ts'
import { seededFor } from '../support/seed.ts'

const quarterMegabyte = 2 ** 18

function eventAt(position: number, transcription = ''): FeedEvent {
  return {
    position,
    call_id: `call-${position}`,
    kind: 'result',
    version: 1,
    old_status: null,
    status: 'PROCESSING_AI',
    data: {},
    created_at: new Date(1_732_147_200_000 + position),
    transcription,
    sentiment: 'neutral',
    summary: 'ünï ☎️',
    exchanged: false,
  }
}

test('no events make no batch', () => {
  assert.deepEqual([...batchesOf([])], [])
})

test('a batch has its events in order, each as it would be alone', () => {
  const events = [4, 5, 7].map((position) => eventAt(position))
  const [batch, ...more] = [...batchesOf(events)]
  assert.deepEqual(more, [])
  assert.equal(batch?.last, 7)
  assert.deepEqual(textsIn(batch.after(0)), events.map(eventMessage))
})

test('a batch that is asked for often is made once', () => {
  const [batch] = [...batchesOf([eventAt(4), eventAt(5)])]
  assert.ok(batch)
  assert.equal(batch.after(3), batch.after(0))
})

test('after a position come the events that are further, whether or not it is one of them', () => {
  const [batch] = [...batchesOf([4, 5, 7, 9].map((position) => eventAt(position)))]
  const cases = [
    [3, [4, 5, 7, 9]],
    [4, [5, 7, 9]],
    [6, [7, 9]],
    [8, [9]],
    [9, []],
    [100, []],
  ] as const
  for (const [after, left] of cases)
    assert.deepEqual(
      textsIn(batch?.after(after) ?? Buffer.of()),
      left.map((position) => eventMessage(eventAt(position))),
      `after ${after}`,
    )
})

test('events of any size and number are in some batch, once and in order; only a last one goes beyond', (t) => {
  const random = seededFor(t)
  for (let round = 0; round < 20; round += 1) {
    let position = 0
    const events = Array.from({ length: Math.floor(random() * 100) }, () => {
      position += 1 + Math.floor(random() * 3)
      // Most are small, some are larger than a batch.
      return eventAt(position, 'x'.repeat(Math.floor(random() ** 8 * 2 * quarterMegabyte)))
    })
    const batches = [...batchesOf(events)]
    assert.deepEqual(
      batches.flatMap((batch) => textsIn(batch.after(0))),
      events.map(eventMessage),
    )
    let first = 0
    for (const batch of batches) {
      const withoutLast = events.filter(
        (event) => event.position > first && event.position < batch.last,
      )
      const bytes = withoutLast.reduce(
        (sum, event) => sum + Buffer.byteLength(eventMessage(event)) + 10,
        0,
      )
      assert.ok(bytes <= quarterMegabyte + 10 * withoutLast.length, `${bytes} bytes`)
      first = batch.last
    }
    assert.equal(first, events.at(-1)?.position ?? 0)
  }
})
