// Sends the messages of a call when they are due: against the start of the call, so that a late timer is not
// late for ever, and only until the call is cut, if it is to be.
import type { Connection } from './connection.ts'
import { inOrder, perfectPlan } from './plan.ts'
import type { Message, ProtocolCall, SentPacket, SentTrack, TrackName } from './protocol.ts'
import { voicePackets } from './voices.ts'

/** Something that leaves at a moment. */
export type Step = {
  /** Seconds of the call's own time. */
  readonly at: number
  readonly message: Message
  /** The packets in it. */
  readonly packets: readonly SentPacket[]
}

/** Where a step goes, and what was sent. */
export type Delivery<S extends Step> = {
  /** Returns false when the step was left out. */
  readonly deliver: (step: S) => boolean | Promise<boolean>
  readonly drained: () => Promise<void>
}

/** What has left. */
export type Sent = {
  readonly tracks: readonly SentTrack[]
  /** The call was cut: no goodbye. */
  readonly isCut: boolean
}

/** When every packet of a line leaves; on wires without numbers, in order and once. */
export function sendingsOf(
  call: ProtocolCall,
  line: number,
  numbered: boolean,
): readonly { readonly sequence: number; readonly at: number }[] {
  const plan = call.plans?.[line] ?? perfectPlan(voicePackets(call.voices))
  return (numbered ? plan : inOrder(plan)).packets
}

/** Everything that leaves, in order of time: the steps, and the messages that the caller adds. */
export function timelineOf({ extra = [] }: ProtocolCall, steps: readonly Step[]): Step[] {
  const added = extra.map((step) => ({ ...step, packets: [] }))
  return [...steps, ...added].sort((one, other) => one.at - other.at)
}

/**
 * Sends the steps over one connection, and ends it.
 * @param sayGoodbye what comes before the connection is closed, unless it is cut
 */
export async function playOn(
  connection: Connection,
  call: ProtocolCall,
  steps: readonly Step[],
  sayGoodbye: () => void | Promise<void> = () => {},
): Promise<readonly SentTrack[]> {
  try {
    const { tracks, isCut } = await playSteps(timelineOf(call, steps), call, {
      deliver: ({ message }) => {
        connection.send(message)
        return true
      },
      drained: connection.drained,
    })
    if (isCut) return tracks
    await sayGoodbye()
    await connection.close()
    return tracks
  } finally {
    connection.cut()
  }
}

/** Sends the steps, which are in order of time; resolves after the last one, or after the cut. */
export async function playSteps<S extends Step>(
  steps: readonly S[],
  { clock, rate, signal, cutAt = Number.POSITIVE_INFINITY, onPacket }: ProtocolCall,
  { deliver, drained }: Delivery<S>,
): Promise<Sent> {
  const sequences = new Map<TrackName, number[]>()
  const start = clock.now()
  const waitUntil = async (at: number) => {
    if (rate > 0) await clock.wait(start + at / rate - clock.now(), signal)
    else signal.throwIfAborted()
  }
  for (const step of steps) {
    if (step.at >= cutAt) break
    await waitUntil(step.at)
    if (!(await deliver(step))) continue
    for (const packet of step.packets) {
      const ofTrack = sequences.get(packet.track) ?? []
      sequences.set(packet.track, ofTrack)
      ofTrack.push(packet.sequence)
      onPacket?.(packet)
    }
    await drained()
  }
  const isCut = cutAt !== Number.POSITIVE_INFINITY
  if (isCut) await waitUntil(cutAt)
  const tracks = [...sequences].map(([track, sent]) => ({ track, sequences: sent }))
  return { tracks, isCut }
}
