// Senders that are faster than the database, or that do not listen: they are not read for ever, whatever they
// send, and the gateway's memory stays as it is.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { getCall, sendPacket, startGateway } from '../support/gateway.ts'
import { lineOf, openLines } from '../support/line-stream.ts'
import { growthOf } from '../support/memory.ts'
import { frameOf } from '../support/packet-frames.ts'
import { connectPackets, type PacketSocket, packetMessage } from '../support/packet-socket.ts'
import { startPrivatePostgres } from '../support/private-postgres.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const mebibyte = 2 ** 20
const mostGrowth = 100 * mebibyte
const stillMs = 2_000

/** Resolves when nothing of what was sent moves any more; returns how many bytes are left. */
async function stalled({ socket }: PacketSocket): Promise<number> {
  let left = socket.bufferedAmount
  while (true) {
    await pause(stillMs)
    if (socket.bufferedAmount === left) return left
    left = socket.bufferedAmount
  }
}

suite('a sender that does not listen', () => {
  test('is not read for ever; when it listens, it hears of every message', async () => {
    const { gateway } = await sharedGateway()
    using client = await connectPackets(gateway.url, 'deaf')
    using other = await connectPackets(gateway.url, 'other')
    const messages = 100_000
    const wrong = JSON.stringify({ type: 'x'.repeat(99) })
    client.socket.pause()
    const growth = await growthOf(gateway.pid, async () => {
      for (let message = 0; message < messages; message += 1) client.send(wrong)
      assert.ok((await stalled(client)) > mebibyte, 'all of it was read')
    })
    assert.ok(growth < mostGrowth, `${growth / mebibyte} MiB`)
    other.send(packetMessage(1))
    await other.hears({ type: 'ack', through: 1 })
    client.socket.resume()
    await until('all is heard', () => client.heard.length === messages, 60_000)
    assert.ok(client.heard.every(({ code }) => code === 'validation_failed'))
  })

  test('is not read for ever either when it asks for completions, and hears of each', async () => {
    const { gateway } = await sharedGateway()
    using client = await connectPackets(gateway.url, 'completions')
    const messages = 60_000
    const growth = await growthOf(gateway.pid, async () => {
      for (let message = 0; message < messages; message += 1) client.send({ type: 'complete' })
      await until('some are answered', () => client.heard.length > 2_000)
    })
    assert.ok(growth < mostGrowth, `${growth / mebibyte} MiB`)
    assert.ok(client.heard.every(({ code }) => code === 'call_not_found'))
  })
})

suite('while the database is gone', () => {
  test('fast senders are not read beyond a window, and go on by themselves after', async () => {
    await using postgres = await startPrivatePostgres()
    await using gateway = await startGateway(postgres.url)
    const { url } = gateway
    using text = await connectPackets(url, 'text')
    using binary = await connectPackets(url, 'binary')
    using lines = openLines(url, 'lines')
    const packets = 20_000
    const filler = 'x'.repeat(1_000)
    text.send(packetMessage(1))
    binary.send(frameOf({ sequence: 1 }))
    await lines.write(`${lineOf(1)}\n`)
    for (const [client, callId] of [
      [text, 'text'],
      [binary, 'binary'],
    ] as const)
      await client.hears({ type: 'ack', call_id: callId, through: 1 })
    await until('the line is stored', async () => (await getCall(url, 'lines')).status === 200)

    await postgres.kill()
    let isWritten = false
    let written: Promise<void> | undefined
    const growth = await growthOf(gateway.pid, async () => {
      const rest: string[] = []
      for (let sequence = 2; sequence <= packets; sequence += 1) {
        text.send(packetMessage(sequence, { data: filler }))
        binary.send(frameOf({ sequence, media: Buffer.from(filler) }))
        rest.push(lineOf(sequence, { data: filler }))
      }
      written = lines.write(rest.join('\n')).then(() => {
        isWritten = true
      })
      for (const client of [text, binary])
        assert.ok((await stalled(client)) > 5 * mebibyte, 'all of it was read')
    })
    assert.ok(growth < mostGrowth, `${growth / mebibyte} MiB`)
    assert.equal(isWritten, false)
    const heard = text.heard.length
    assert.deepEqual(text.settled('text'), { packets: 1, through: 1 })

    await postgres.restart()
    await text.hears({ type: 'ack', through: packets, packets })
    await binary.hears({ type: 'ack', through: packets, packets })
    await written
    const { status, body } = await lines.end()
    assert.deepEqual([status, body.packets], [202, packets])
    assert.ok(text.heard.slice(heard).every(({ type }) => type === 'ack'))
    for (const callId of ['text', 'binary', 'lines']) {
      const call = (await getCall(url, callId)).body
      assert.deepEqual([call.total_packets, call.missing_packets], [packets, ''])
    }
    assert.equal((await sendPacket(url, 'after', 1)).status, 202)
  })
})
