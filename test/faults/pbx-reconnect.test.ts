// A connection of a PBX that is cut in the middle of a call, by every protocol: one that comes back goes on with the
// same call, the time between is silence, told once; one that does not come back is waited for, and no longer.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Protocol, ProtocolCall } from '../../src/simulator/protocol.ts'
import { twilioProtocol } from '../../src/simulator/protocols/twilio.ts'
import { protocols } from '../../src/simulator/protocols.ts'
import { endedStreams } from '../support/media-calls.ts'
import {
  archived,
  drawCallId,
  hearTrack,
  packetMs,
  packets,
  playCall,
  sourceOf,
  speechOf,
  tracksOf,
  withoutGaps,
} from '../support/pbx-calls.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { assertSamples } from '../support/wav.ts'

const graceSeconds = 4
const { gateway, database } = await sharedGateway({
  AUDIOSOCKET_PORT: '0',
  RECONNECT_GRACE_SECONDS: `${graceSeconds}`,
})
const { url } = gateway
const { pool } = database
const cutAt = 1.5
const awayMs = 1_000
/** What a busy machine adds to the time between two packets. */
const toleranceMs = 300
/** The gateway's own WebSocket is no stream of media: its numbers tell where it goes on. */
const mediaProtocols = protocols.filter(({ name }) => name !== 'stream')
/** All wait for the same seconds to pass. */
const together = { concurrency: 2 * protocols.length }

type Part = {
  /** Packets that left, of each track. */
  readonly sent: number
  /** When the first and the last message left, by the clock of the test. */
  readonly from: number
  readonly to: number
}

/** Plays a part of a call, which may be cut. */
async function playPart(
  protocol: Protocol,
  callId: string,
  change: Partial<ProtocolCall>,
): Promise<Part> {
  const times: number[] = []
  const sent = await playCall(gateway, protocol, callId, {
    ...change,
    onPacket: () => times.push(performance.now()),
  })
  const [from, to] = [times[0], times.at(-1)]
  assert.ok(from !== undefined && to !== undefined)
  return { sent: sent[0]?.sequences.length ?? 0, from, to }
}

suite('a connection that is cut and comes back is one call with one marked gap', together, () => {
  for (const protocol of mediaProtocols)
    test(`by ${protocol.name}`, async () => {
      const callId = drawCallId(protocol)
      const connections = protocol.name === 'asterisk' ? 2 : 1
      const first = await playPart(protocol, callId, { cutAt })
      assert.ok(first.sent < packets / 2)
      await endedStreams(pool, callId, connections)
      await pause(awayMs)
      const voices = speechOf(packets / 2 + 1)
      const second = await playPart(protocol, callId, { voices })
      const call = await archived(url, callId)
      assert.match(String(call.transcription), /\w/)
      const { rows } = await pool.query('SELECT call_id FROM calls WHERE call_id LIKE $1', [
        `${callId}%`,
      ])
      assert.equal(rows.length, 1)
      for (const track of tracksOf(protocol)) {
        const heard = await hearTrack(url, callId, track)
        const size = sourceOf(track, heard.rate).length / packets
        assertSamples(
          withoutGaps(heard),
          Int16Array.from([
            ...sourceOf(track, heard.rate).subarray(0, first.sent * size),
            ...sourceOf(track, heard.rate, voices),
          ]),
        )
        const [gap, ...more] = heard.gaps.filter(({ cause }) => cause === 'reconnect')
        assert.ok(gap !== undefined && more.length === 0, JSON.stringify(heard.gaps))
        const otherMs = heard.missingMs - gap.milliseconds
        assert.ok(otherMs <= (protocol.lossAccount === 'clock' ? packetMs : 0.001), `${otherMs}`)
        assert.ok(Math.abs(gap.startMs - first.sent * packetMs) <= otherMs + 0.001)
        const away = second.from - first.to
        assert.ok(
          Math.abs(gap.milliseconds - away) <= toleranceMs,
          `${gap.milliseconds} ms, and it was away for ${away} ms`,
        )
      }
      assert.ok(second.sent > 0)
    })
})

test('a stream of numbered packets that goes on with its numbers misses what these say, once', async () => {
  const callId = drawCallId(twilioProtocol)
  const streamId = 'MZ0123456789abcdef0123456789abcdef'
  await playPart(twilioProtocol, callId, { cutAt, streamId })
  await endedStreams(pool, callId)
  const half = packets / 2
  await playPart(twilioProtocol, callId, {
    streamId,
    firstNumber: half + 1,
    voices: speechOf(half + 1),
  })
  await archived(url, callId)
  for (const track of tracksOf(twilioProtocol)) {
    const { rate, samples, gaps } = await hearTrack(url, callId, track)
    const [from, to] = [cutAt * rate, half * (packetMs / 1_000) * rate]
    assertSamples(samples, sourceOf(track, rate).fill(0, from, to))
    assert.deepEqual(
      gaps.map((gap) => [gap.startMs, gap.milliseconds, gap.cause]),
      [[cutAt * 1_000, 500, 'missing']],
    )
  }
})

type Timeline = {
  readonly entries: readonly { readonly at: string; readonly data: Record<string, unknown> }[]
}

suite('a connection that never comes back completes the call after the grace', together, () => {
  for (const protocol of mediaProtocols)
    test(`by ${protocol.name}`, async () => {
      const callId = drawCallId(protocol)
      const { sent } = await playPart(protocol, callId, { cutAt })
      const call = await archived(url, callId)
      assert.match(String(call.transcription), /\w/)
      const response = await fetch(`${url}/v1/call/${callId}/timeline`)
      const { entries } = (await response.json()) as Timeline
      const at = (what: (data: Record<string, unknown>) => boolean) =>
        entries.filter(({ data }) => what(data)).map((entry) => Date.parse(entry.at))
      const ended = at(({ event }) => event === 'stream_ended')
      const completed = at(({ cause }) => cause === 'media_ended')
      assert.equal(completed.length, 1)
      const waited = (completed[0] ?? 0) - Math.max(...ended)
      assert.ok(waited >= graceSeconds * 1_000 - 1, `it waited ${waited} ms`)
      for (const track of tracksOf(protocol)) {
        const heard = await hearTrack(url, callId, track)
        const size = sourceOf(track, heard.rate).length / packets
        assertSamples(withoutGaps(heard), sourceOf(track, heard.rate).subarray(0, sent * size))
        assert.ok(heard.missingMs <= (protocol.lossAccount === 'clock' ? packetMs : 0))
      }
    })
})
