// One body of JSON, a packet or an array of packets, from the border into the ledger; the same for whichever way
// a request took.
import { parseJson } from '../border/json.ts'
import { compileCheck, InvalidInput } from '../border/validation.ts'
import { GatewayError } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Packet, TrackName } from '../ledger/packet.ts'
import { PacketBody, type PacketFields, packetOf, packetReply } from './packet-body.ts'
import { storeAll } from './packet-summary.ts'
import { readPlainPacket } from './plain-packet.ts'

/** Who is told what became of a body. */
export type Answer = {
  /** Everything is safe; the text is JSON. */
  readonly accepted: (text: string) => void
  readonly refused: (error: Error) => void
}

/** The intake of JSON bodies. */
export type PacketIntake = {
  /** Takes a parsed body for a call; never throws. */
  readonly take: (callId: string, track: TrackName, body: unknown, answer: Answer) => void
  /** Takes a body as it came; never throws. */
  readonly takeBytes: (callId: string, track: TrackName, body: Buffer, answer: Answer) => void
}

const check = compileCheck(PacketBody)

/** Builds the intake. */
export function createPacketIntake(
  ledger: Pick<Ledger, 'store' | 'append'>,
  now: () => Date,
): PacketIntake {
  let latest = Number.NaN
  let latestText = ''

  /** The time as text, which is made once for all packets of a millisecond. */
  function receivedAt(): string {
    const time = now()
    if (time.getTime() !== latest) {
      latest = time.getTime()
      latestText = time.toISOString()
    }
    return latestText
  }

  function take(callId: string, track: TrackName, body: unknown, answer: Answer): void {
    if (Array.isArray(body)) {
      storeAll({ ledger, callId, track, now }, body).then(
        (summary) => answer.accepted(JSON.stringify(summary)),
        answer.refused,
      )
      return
    }
    const problems = check(body)
    if (problems !== undefined) {
      answer.refused(new InvalidInput(problems))
      return
    }
    store(packetOf(callId, track, body as PacketFields), answer)
  }

  function takeBytes(callId: string, track: TrackName, body: Buffer, answer: Answer): void {
    const packet = readPlainPacket(body, callId, track)
    // Whose packet it is, is said by the request alone.
    if (packet?.callId === callId && packet.track === track) {
      store(packet, answer)
      return
    }
    let value: unknown
    try {
      value = parseJson(body)
    } catch (error) {
      answer.refused(error instanceof Error ? error : new GatewayError('internal', String(error)))
      return
    }
    take(callId, track, value, answer)
  }

  function store(packet: Packet, answer: Answer): void {
    ledger.store(packet, {
      settled: (stored, outcome) =>
        outcome instanceof GatewayError
          ? answer.refused(outcome)
          : answer.accepted(packetReply(stored, outcome, receivedAt())),
    })
  }
  return { take, takeBytes }
}
