// Packets of a call and track, as runs: what waits for its commit is kept for hundreds of packets at once where a stream
// is at full speed, so that little of it is there to be collected. Pure.
import type { ByteRange } from '../byte-range.ts'
import type { Packet, TrackName } from './packet.ts'

/** Packets of which each has the sequence after the one before, and a payload of the same size that follows in memory. */
export type PacketRun = ByteRange & {
  /** Of the first packet. */
  readonly sequence: number
  /** Of each packet. */
  readonly timestamps: readonly number[]
  /** Of each payload, in bytes. */
  readonly size: number
  readonly encoding: Packet['encoding']
}

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
export function runOf({ sequence, timestamp, encoding, memory, start, end }: Packet): PacketRun {
  return { sequence, timestamps: [timestamp], size: end - start, encoding, memory, start, end }
}

/** The first packets of a run, and the others. */
export function cutRun<Run extends PacketRun>(run: Run, packets: number): [Run, Run] {
  const { sequence, timestamps, start, size } = run
  const at = start + packets * size
  return [
    { ...run, timestamps: timestamps.slice(0, packets), end: at },
    { ...run, sequence: sequence + packets, timestamps: timestamps.slice(packets), start: at },
  ]
}

/** The packets of runs, one by one. */
export function eachPacket<Run extends PacketRun>(
  { callId, track }: Pick<PacketGroup, 'callId' | 'track'>,
  runs: readonly Run[],
  take: (packet: Packet, run: Run) => void,
): void {
  for (const run of runs) {
    const { encoding, memory, size } = run
    run.timestamps.forEach((timestamp, nth) => {
      const start = run.start + nth * size
      const end = start + size
      const sequence = run.sequence + nth
      take({ callId, track, sequence, timestamp, encoding, memory, start, end }, run)
    })
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
