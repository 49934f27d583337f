// Tells the record of a stream where it has no audio, and takes back what came after all. Packets are meant by their
// numbers; where these are in the call, its tracks say.
import type { TrackName } from '../../ledger/packet.ts'
import type { Silences } from './arrival-losses.ts'
import type { ClockGap } from './clock-gaps.ts'
import type { Silence, StreamRecord } from './stream-record.ts'
import type { StreamTracks } from './stream-tracks.ts'

/** The silences of one stream. To be used while it is open. */
export class StreamSilences {
  readonly #record: Pick<StreamRecord, 'silences' | 'shorten'>
  readonly #channels: readonly TrackName[]
  readonly #tracks: StreamTracks
  /** How long its tracks were quiet before it, as it is told. */
  #quiet: readonly Silence[] = []
  /** How much earlier its audio began than its first packet says, as long as no quiet is told. */
  #earlierMs = 0

  constructor(
    record: Pick<StreamRecord, 'silences' | 'shorten'>,
    channels: readonly TrackName[],
    tracks: StreamTracks,
  ) {
    this.#record = record
    this.#channels = channels
    this.#tracks = tracks
  }

  /** The stream goes on in a call. */
  enter(): void {
    this.#quiet = []
    this.#earlierMs = 0
  }

  /**
   * Tells the silences in front of a packet.
   * @param startedAt when its audio began, by the steady clock, in milliseconds
   */
  before(track: TrackName, number: number, startedAt: number, silences: Silences): void {
    const place = { track, beforeSequence: this.#tracks.sequenceOf(track, number) }
    const milliseconds = this.#tracks.takeQuiet(track, startedAt - this.#earlierMs)
    if (milliseconds !== undefined) {
      const quiet: Silence = { ...place, milliseconds, cause: 'reconnect' }
      this.#quiet = [...this.#quiet, quiet]
      this.#record.silences([quiet])
    }
    if (silences.length > 0)
      this.#record.silences(silences.map((silence) => ({ ...silence, ...place })))
  }

  /** Tells what the clock has found. */
  found({ packet, milliseconds, came }: ClockGap): void {
    if (packet === 0) {
      this.#beganEarlier(came)
      return
    }
    const silences = this.#channels.map((track): Silence => {
      const beforeSequence = this.#tracks.sequenceOf(track, packet + 1)
      return { track, beforeSequence, milliseconds, cause: 'clock' }
    })
    // Those of a call before that is over have been told there, or are not told any more.
    const own = silences.filter(({ beforeSequence }) => beforeSequence > 0)
    if (came === 0) this.#record.silences(own)
    else this.#record.shorten(own)
  }

  /** What is missing at the end is in front of a packet that does not come. */
  atEnd(silences: Silences): void {
    this.#record.silences(
      this.#channels.flatMap((track) => {
        const beforeSequence = this.#tracks.sequenceOf(track, this.#tracks.next(track))
        return silences.map((silence) => ({ ...silence, track, beforeSequence }))
      }),
    )
  }

  #beganEarlier(byMs: number): void {
    if (this.#quiet.length === 0) this.#earlierMs += byMs
    else {
      this.#quiet = this.#quiet.map((silence) => {
        return { ...silence, milliseconds: Math.max(Math.round(silence.milliseconds - byMs), 0) }
      })
      this.#record.shorten(this.#quiet)
    }
  }
}
