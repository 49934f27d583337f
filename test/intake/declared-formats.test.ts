// Clients that say how their audio is coded.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import WebSocket from 'ws'
import { declareMediaFormat } from '../../src/calls/media-formats.ts'
import type { Pool } from '../../src/database/pool.ts'
import { createDeclaredFormats } from '../../src/intake/declared-formats.ts'
import type { Packet, PacketReceipt, PacketSender } from '../../src/ledger/packet.ts'
import { runOf } from '../../src/ledger/packet-group.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { packetOf } from '../support/calls.ts'
import { post } from '../support/gateway.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const { gateway, database } = await sharedGateway()
const { url } = gateway
const packet = { sequence: 1, data: 'AAAA', timestamp: 1 }
const pcma = { encoding: 'PCMA', rate: 8000, clock: 'arrival' }

/** The formats of a call's tracks, by name. */
async function formatsOf(callId: string): Promise<Record<string, unknown>> {
  const { rows } = await database.pool.query(
    `SELECT track, media_format FROM tracks JOIN calls ON calls.id = tracks.call
     WHERE call_id = $1 ORDER BY track`,
    [callId],
  )
  return Object.fromEntries(rows.map(({ track, media_format }) => [track, media_format]))
}

const stream = (call: string, query: string) => `${url}/v1/call/stream/${call}?${query}`

suite('a declared format', () => {
  test('stands with the track when the packet is acknowledged', async () => {
    const { status } = await post(stream('one', 'encoding=PCMA'), packet)
    assert.equal(status, 202)
    assert.deepEqual(await formatsOf('one'), { mixed: pcma })
  })

  test('has the rate that is said, and belongs to the track that is said', async () => {
    await post(stream('rate', 'track=inbound&encoding=L16&rate=16000'), packet)
    await post(stream('rate', 'track=outbound'), packet)
    const inbound = { encoding: 'L16', rate: 16_000, clock: 'arrival' }
    assert.deepEqual(await formatsOf('rate'), { inbound, outbound: null })
  })

  test('is never changed, but follows packets that came without one', async () => {
    await post(`${url}/v1/call/stream/later`, packet)
    assert.deepEqual(await formatsOf('later'), { mixed: null })
    for (const encoding of ['PCMA', 'OPUS'])
      await post(stream('later', `encoding=${encoding}`), { ...packet, sequence: 2 })
    // As another gateway would, which knows nothing of it.
    await declareMediaFormat(database.pool, 'later', 'mixed', '{"encoding":"OPUS","rate":48000}')
    assert.deepEqual(await formatsOf('later'), { mixed: pcma })
  })

  test('holds for every track of an array and of lines, also of those that are refused', async () => {
    const packets = (['inbound', 'outbound'] as const).map((track) => ({ ...packet, track }))
    await post(stream('array', 'encoding=PCMA'), packets)
    assert.deepEqual(await formatsOf('array'), { inbound: pcma, outbound: pcma })
    const response = await fetch(stream('lines', 'encoding=PCMA'), {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: [...packets, { no: 'packet' }].map((line) => `${JSON.stringify(line)}\n`).join(''),
    })
    assert.equal(response.status, 422)
    assert.deepEqual(await formatsOf('lines'), { inbound: pcma, outbound: pcma })
  })

  test('holds for a WebSocket and every call on it', async () => {
    const socket = new WebSocket(stream('socket', 'encoding=PCMA').replace('http', 'ws'))
    await once(socket, 'open')
    socket.send(JSON.stringify(packet))
    socket.send(JSON.stringify({ ...packet, call_id: 'socket-2', track: 'inbound' }))
    await until('both are declared', async () => {
      const [one, two] = [await formatsOf('socket'), await formatsOf('socket-2')]
      return one.mixed != null && two.inbound != null
    })
    assert.deepEqual(await formatsOf('socket'), { mixed: pcma })
    assert.deepEqual(await formatsOf('socket-2'), { inbound: pcma })
    socket.terminate()
  })

  for (const query of ['encoding=GSM', 'encoding=', 'encoding=PCMU&rate=7999', 'rate=192001'])
    test(`is refused when it is none: ${query}`, async () => {
      assert.equal((await post(stream('wrong', query), packet)).status, 422)
      assert.deepEqual(await formatsOf('wrong'), {})
    })
})

suite('the declarations of a process', () => {
  const receipt: PacketReceipt = { duplicate: false, late: false, opensGap: false, missing: '' }
  const logger = createLogger({ level: 'silent', pretty: false })
  const pcmu = { encoding: 'PCMU', rate: 8000 } as const

  /** Formats over a database that only counts, and a ledger that keeps everything at once. */
  function declarations() {
    const asked: unknown[] = []
    let fails = false
    const pool = {
      query: async ({ values }: { values: unknown[] }) => {
        asked.push(values[0])
        if (fails) throw new Error('gone')
        return { rows: [] }
      },
    } as unknown as Pool
    const ledger = {
      store: (stored: Packet, sender: PacketSender) => sender.settled(runOf(stored), receipt),
      append: (stored: Packet, sender: PacketSender) => {
        sender.settled(runOf(stored), receipt)
        return true
      },
    }
    const formats = createDeclaredFormats(pool, ledger, logger)
    const send = async (callId: string, sequence = 1) => {
      const into = formats.ledgerFor(pcmu)
      into.append(packetOf(callId, sequence), { settled: () => {} })
      await into.declared()
    }
    return {
      asked,
      send,
      breaks: (broken: boolean) => {
        fails = broken
      },
    }
  }

  test('cost a statement once for a call and track, not for each packet', async () => {
    const { asked, send } = declarations()
    for (let sequence = 1; sequence <= 50; sequence += 1) await send('long', sequence)
    await send('other')
    assert.deepEqual(asked, ['long', 'other'])
  })

  test('that fail are told, and made again with the next packet', async () => {
    const { asked, send, breaks } = declarations()
    breaks(true)
    await assert.rejects(send('lost'), /declare_media_format failed/)
    breaks(false)
    await send('lost')
    await send('lost')
    assert.deepEqual(asked, ['lost', 'lost'])
  })

  test('are remembered for ten thousand tracks, those in use first', async () => {
    const { asked, send } = declarations()
    await send('used')
    await send('unused')
    for (let call = 0; call < 9_999; call += 1) {
      await send(`call-${call}`)
      if (call === 5_000) await send('used')
    }
    const before = asked.length
    await send('used')
    assert.equal(asked.length, before)
    await send('unused')
    assert.equal(asked.length, before + 1)
  })
})
