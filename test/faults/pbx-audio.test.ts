// Calls of real speech by every protocol, played by clients that know nothing of the parsers: what is in the recording
// is what was said, silence stands exactly where something was lost, and the loss account says the same.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { decodeMuLaw } from '../../src/recording/g711.ts'
import { perfectPlan } from '../../src/simulator/plan.ts'
import type { Protocol } from '../../src/simulator/protocol.ts'
import { protocols } from '../../src/simulator/protocols.ts'
import {
  archived,
  assertWhole,
  drawCallId,
  type HeardTrack,
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
import { runSox, samplesOf, withoutSox } from '../support/sox.ts'
import { assertSamples, getWav } from '../support/wav.ts'

const { gateway } = await sharedGateway({
  AUDIOSOCKET_PORT: '0',
  RECONNECT_GRACE_SECONDS: '1',
})
const { url } = gateway
/** The longest message of any wire: within one of them no clock tells where something is lost. */
const messageMs = 100
/** Alone, a run, the first and the last. */
const runOf25 = Array.from({ length: 25 }, (_, index) => 80 + index)
const lost = [1, 30, ...runOf25, packets]
/** All wait for the same seconds to pass. */
const together = { concurrency: 2 * protocols.length }

test('what is expected is what G.711 says', () => {
  const { customer, agent } = speechOf()
  assertSamples(sourceOf('inbound', 8_000), decodeMuLaw(customer))
  assertSamples(sourceOf('outbound', 8_000), decodeMuLaw(agent))
})

suite('a call of real speech is in the recording sample for sample', together, () => {
  for (const protocol of protocols)
    test(`by ${protocol.name}`, async () => {
      const callId = drawCallId(protocol)
      await playCall(gateway, protocol, callId)
      const call = await archived(url, callId)
      assert.match(String(call.transcription), /\w/)
      for (const track of tracksOf(protocol)) {
        assertWhole(protocol, await hearTrack(url, callId, track))
      }
      if (withoutSox === false) await assertSoxAgrees(callId)
    })
})

/** SoX reads the file, and finds in it what we find. */
async function assertSoxAgrees(callId: string): Promise<void> {
  const file = Buffer.from(await (await getWav(url, callId)).arrayBuffer())
  const folder = mkdtempSync(join(tmpdir(), 'gateway-sox-'))
  try {
    const path = join(folder, 'call.wav')
    writeFileSync(path, file)
    const [channels, rate, samples] = ['-c', '-r', '-s'].map((about) =>
      Number(runSox('--i', about, path)),
    )
    assert.equal(Number(samples) * Number(channels) * 2, file.length - 44)
    assert.equal(rate, file.readUInt32LE(24))
    const decoded = runSox('-V1', '-D', path, '-t', 'raw', '-e', 'signed', '-b', '16', '-')
    assertSamples(samplesOf(decoded), samplesOf(file.subarray(44)))
    const peak = samplesOf(decoded).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
    assert.ok(peak > 3_000, `there is speech in it: ${peak}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

suite('where packets are lost there is silence, and the account says so', together, () => {
  for (const protocol of protocols)
    test(`by ${protocol.name}`, async () => {
      const callId = drawCallId(protocol)
      const plans = protocol.lines.map((_, line) => perfectPlan(packets, line === 0 ? lost : []))
      const sent = await playCall(gateway, protocol, callId, { plans })
      await archived(url, callId)
      for (const { track, sequences } of sent) {
        const heard = await hearTrack(url, callId, track)
        const whole = sourceOf(track, heard.rate)
        const size = whole.length / packets
        const arrived = sequences.flatMap((sequence) => [
          ...whole.subarray((sequence - 1) * size, sequence * size),
        ])
        assertSamples(withoutGaps(heard), Int16Array.from(arrived))
        if (protocol.lines[0]?.includes(track) === true) judges[protocol.lossAccount](heard)
        else assertWhole(protocol, heard)
      }
    })
})

/** How a wire of a kind tells of what was lost. */
const judges: Readonly<Record<Protocol['lossAccount'], (heard: HeardTrack) => void>> = {
  // Of what comes after the last packet no number tells.
  numbers: ({ gaps, missingMs, rate, samples }) => {
    assert.deepEqual(
      gaps.map((gap) => [gap.startMs, gap.milliseconds, gap.packets, gap.cause]),
      [
        [0, packetMs, 1, 'missing'],
        [29 * packetMs, packetMs, 1, 'missing'],
        [79 * packetMs, 25 * packetMs, 25, 'missing'],
      ],
    )
    assert.equal(missingMs, 27 * packetMs)
    assert.equal(samples.length / rate, (packets - 1) * (packetMs / 1_000))
  },
  // The position is told after a second, and at the end: all of it is known, and where to that.
  reported: ({ gaps, missingMs, rate, samples }) => {
    assert.deepEqual(
      gaps.map((gap) => [gap.startMs + gap.milliseconds, gap.milliseconds, gap.cause]),
      [
        [50 * packetMs, 2 * packetMs, 'reported'],
        [packets * packetMs, 26 * packetMs, 'reported'],
      ],
    )
    assert.equal(missingMs, lost.length * packetMs)
    assert.equal(samples.length / rate, packets * (packetMs / 1_000))
  },
  // Before the first packet no clock runs, and after the last one none is waited for.
  clock: ({ gaps, missingMs }) => {
    const near = (is: number | undefined, should: number, mostMs: number, what: string) =>
      assert.ok(Math.abs((is ?? Number.NaN) - should) <= mostMs, `${what}: ${JSON.stringify(gaps)}`)
    near(missingMs, 26 * packetMs, packetMs, 'all of it')
    const [run, one] = gaps.toSorted((some, other) => other.milliseconds - some.milliseconds)
    near(run?.milliseconds, 25 * packetMs, packetMs, 'the length of the run')
    near(run?.startMs, 78 * packetMs, messageMs, 'the place of the run')
    if (one !== undefined) near(one.startMs, 28 * packetMs, messageMs, 'the place of the other')
    assert.ok(gaps.every(({ cause }) => cause === 'clock'))
  },
}
