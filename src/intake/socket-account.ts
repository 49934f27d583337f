// What one socket has sent and what of it is settled, per call and track, and the messages that say so: one for
// a track and commit, however many packets it settled.
import { GatewayError } from '../errors.ts'
import {
  type Packet,
  type PacketReceipt,
  type PacketRun,
  type TrackName,
  trackNames,
} from '../ledger/packet.ts'

/** What is said of a track. */
export type AccountMessage = Readonly<Record<string, unknown>>

type TrackAccount = {
  readonly callId: string
  readonly track: TrackName
  sent: number
  settled: number
  through: number
  duplicates: number
  late: number
  missing: string
  refusal: { readonly error: GatewayError; readonly sequence: number; packets: number } | undefined
  isTold: boolean
}

/** The account of a socket. */
export class SocketAccount {
  readonly #send: (messages: readonly AccountMessage[]) => void
  readonly #tracks = {
    inbound: new Map<string, TrackAccount>(),
    outbound: new Map<string, TrackAccount>(),
    mixed: new Map<string, TrackAccount>(),
  }
  #waiting: { readonly isSettled: () => boolean; readonly then: () => void }[] = []
  #untold: TrackAccount[] = []

  /** @param send is given all there is to be said after a commit at once, in order */
  constructor(send: (messages: readonly AccountMessage[]) => void) {
    this.#send = send
  }

  sent({ callId, track }: Packet): void {
    this.#accountOf(callId, track).sent += 1
  }

  settled(run: PacketRun, outcome: PacketReceipt | GatewayError): void {
    const { callId, track, sequence } = run
    const packets = run.timestamps.length
    const account = this.#accountOf(callId, track)
    account.settled += packets
    account.through = sequence + packets - 1
    if (outcome instanceof GatewayError) {
      account.refusal ??= { error: outcome, sequence, packets: 0 }
      account.refusal.packets += packets
    } else {
      if (outcome.duplicate) account.duplicates += packets
      if (outcome.late) account.late += packets
      account.missing = outcome.missing
    }
    if (!account.isTold) return
    account.isTold = false
    // The packets of a commit are settled in one go: when that is over, each track is told once.
    if (this.#untold.length === 0) queueMicrotask(() => this.#tell())
    this.#untold.push(account)
  }

  /** Calls back when all that this socket sent for a call until now is settled. */
  whenSettled(callId: string, then: () => void): void {
    const marks = trackNames.flatMap((track) => {
      const account = this.#tracks[track].get(callId)
      return account === undefined ? [] : [{ account, sent: account.sent }]
    })
    const isSettled = () => marks.every(({ account, sent }) => account.settled >= sent)
    if (isSettled()) then()
    else this.#waiting.push({ isSettled, then })
  }

  /** Counts a call from nothing again, but for tracks of which something is still on its way. */
  forget(callId: string): void {
    for (const track of trackNames) {
      const account = this.#tracks[track].get(callId)
      if (account?.sent === account?.settled) this.#tracks[track].delete(callId)
    }
  }

  #tell(): void {
    const accounts = this.#untold
    this.#untold = []
    this.#send(accounts.flatMap(messagesOf))
    const waiting = this.#waiting
    this.#waiting = waiting.filter(({ isSettled }) => !isSettled())
    for (const { isSettled, then } of waiting) if (isSettled()) then()
  }

  #accountOf(callId: string, track: TrackName): TrackAccount {
    const ofTrack = this.#tracks[track]
    let account = ofTrack.get(callId)
    if (account === undefined) {
      account = {
        callId,
        track,
        sent: 0,
        settled: 0,
        through: 0,
        duplicates: 0,
        late: 0,
        missing: '',
        refusal: undefined,
        isTold: true,
      }
      ofTrack.set(callId, account)
    }
    return account
  }
}

/** What is to be said of a track now; then it is told. */
function messagesOf(account: TrackAccount): AccountMessage[] {
  const { callId, track, refusal, through, settled, duplicates, late, missing } = account
  account.isTold = true
  account.duplicates = 0
  account.late = 0
  account.refusal = undefined
  const ack = {
    type: 'ack',
    call_id: callId,
    track,
    through,
    packets: settled,
    duplicates,
    late,
    missing_packets: missing,
  }
  if (refusal === undefined) return [ack]
  const error = {
    type: 'error',
    code: refusal.error.code,
    detail: refusal.error.message,
    call_id: callId,
    track,
    sequence: refusal.sequence,
    packets: refusal.packets,
  }
  return [error, ack]
}
