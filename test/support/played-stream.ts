// A stream on its way to the ledger, step by step: the database, the ledger and the time are played here.
import { setImmediate as turn } from 'node:timers/promises'
import { bytesOf, rangeOf } from '../../src/byte-range.ts'
import type { GatewayError } from '../../src/errors.ts'
import { MediaBudget } from '../../src/intake/media/media-budget.ts'
import { LedgerStream } from '../../src/intake/media/media-stream.ts'
import type { StreamStart } from '../../src/intake/media/protocol.ts'
import type { Packet, PacketReceipt, PacketSender } from '../../src/ledger/packet.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { runsOf } from './calls.ts'

type Entry = {
  readonly call_id: string
  readonly bases: number[]
  readonly quiet_ms: (number | null)[]
}

/** How long a frame of audio is. */
export const frameMs = 20
/** Such a frame, of PCMU. */
export const frame = new Uint8Array(160)
/** Of a packet that simply went on. */
export const receipt: PacketReceipt = {
  duplicate: false,
  late: false,
  opensGap: false,
  missing: '',
}
/** What the database says of a call that it has not met. */
export const fresh: Entry = { call_id: 'CALL', bases: [0], quiet_ms: [null] }

/** A stream, and all that is around it. */
export function begin(change: Partial<StreamStart> = {}, room = 1_000_000) {
  const time = { now: 5_000 }
  const opening: ((entry: Entry | Error) => void)[] = []
  const told: string[] = []
  const handed: { packet: Packet; sender: PacketSender }[] = []
  const budget = new MediaBudget(room)
  let ended = 0
  const stream = new LedgerStream({
    start: {
      callId: 'CALL',
      streamId: 'S',
      format: { encoding: 'PCMU', rate: 8_000 },
      channels: ['mixed'],
      loss: 'clock',
      ...change,
    },
    record: {
      open: () =>
        new Promise((resolve, reject) => {
          opening.push((entry) =>
            entry instanceof Error ? reject(entry) : resolve({ call: 1, stream: 1, ...entry }),
          )
        }),
      silences: (silences) => {
        for (const { track, beforeSequence, milliseconds, cause } of silences)
          told.push(`${cause} ${milliseconds} ms before ${track} ${beforeSequence}`)
      },
      shorten: (silences) => {
        for (const { track, beforeSequence, milliseconds, cause } of silences)
          told.push(`only ${cause} ${milliseconds} ms before ${track} ${beforeSequence}`)
      },
      note: (event, more) => told.push(`${event} ${JSON.stringify(more ?? {})}`),
      end: async (by, more) => void told.push(`end ${by} ${JSON.stringify(more)}`),
    },
    ledger: {
      append: (packet, sender) => {
        // As the ledger does: its copy is overwritten when the sender was told.
        handed.push({ packet: { ...packet, ...rangeOf(Buffer.from(bytesOf(packet))) }, sender })
        return true
      },
    },
    budget,
    clock: { wall: () => 1_000_000 + time.now, steady: () => time.now },
    logger: createLogger({ level: 'silent', pretty: false }),
    onEnded: () => {
      ended += 1
    },
  })

  return {
    stream,
    time,
    told,
    budget,
    ended: () => ended,
    /** The packets that the ledger got, as `CALL track sequence`. */
    stored: () => handed.map(({ packet }) => `${packet.callId} ${packet.track} ${packet.sequence}`),
    handed,
    open: async (entry: Entry | Error) => {
      opening.shift()?.(entry)
      await turn()
    },
    /** Settles what the ledger has got, and forgets it. */
    settle: async (outcome: PacketReceipt | GatewayError = receipt) => {
      for (const run of runsOf(handed.splice(0).map(({ packet }) => packet))) {
        stream.settled(run, outcome)
        bytesOf(run).fill(0xee)
      }
      await turn()
    },
    /** Plays packets of 20 ms. */
    play: (count: number) => {
      for (let packet = 0; packet < count; packet += 1) {
        time.now += frameMs
        stream.audio(frame)
      }
    },
  }
}
