// Packets of a call and track, as runs: what waits for its commit is kept for hundreds of packets at once where a stream
// is at full speed, so that little of it is there to be collected. Pure.
import { sizeOf } from '../byte-range.ts'
import type { Packet, PacketRun, TrackName } from './packet.ts'

/** The packets of one call, track and encoding that go into one batch, in the order of arrival. */
export type PacketGroup<Run extends PacketRun = PacketRun> = {
  readonly callId: string
  readonly track: TrackName
  readonly encoding: Packet['encoding']
  readonly runs: readonly Run[]
  /** How many packets: at least one. */
  readonly packets: number
}

/** The run of a packet that follows none. */
export function runOf({ timestamp, ...packet }: Packet): PacketRun {
  return { ...packet, timestamps: [timestamp], size: sizeOf(packet) }
}

/** The first packets of a run, and the others. */
export function cutRun<Run extends PacketRun>(run: Run, packets: number): [Run, Run] {
  return [partOf(run, 0, packets), partOf(run, packets, run.timestamps.length)]
}

/** The packets of a run from one place up to, not including, another. */
function partOf<Run extends PacketRun>(run: Run, from: number, to: number): Run {
  const { sequence, timestamps, start, size } = run
  return {
    ...run,
    sequence: sequence + from,
    timestamps: timestamps.slice(from, to),
    start: start + from * size,
    end: start + to * size,
  }
}

/** The packets of runs, one by one. */
export function eachPacket(runs: readonly PacketRun[], take: (packet: Packet) => void): void {
  for (const run of runs) {
    const { callId, track, encoding, memory, size } = run
    run.timestamps.forEach((timestamp, nth) => {
      const sequence = run.sequence + nth
      const start = run.start + nth * size
      const end = start + size
      take({ callId, track, sequence, timestamp, encoding, memory, start, end })
    })
  }
}

/** A run, in as few parts as there are outcomes that follow one another. */
export function eachOutcome<Run extends PacketRun, Outcome>(
  run: Run,
  outcomeOf: (nth: number) => Outcome,
  take: (part: Run, outcome: Outcome) => void,
): void {
  const all = run.timestamps.length
  let from = 0
  while (from < all) {
    const outcome = outcomeOf(from)
    let to = from + 1
    while (to < all && outcomeOf(to) === outcome) to += 1
    take(to - from === all ? run : partOf(run, from, to), outcome)
    from = to
  }
}

/** The sequences of a group. */
export function sequencesOf({ runs }: PacketGroup): number[] {
  return runs.flatMap(({ sequence, timestamps }) => timestamps.map((_, nth) => sequence + nth))
}

/** Each packet follows the one before. */
export function isInSequence({ runs }: PacketGroup): boolean {
  let next = runs[0]?.sequence
  return runs.every(({ sequence, timestamps }) => {
    const follows = sequence === next
    next = sequence + timestamps.length
    return follows
  })
}
