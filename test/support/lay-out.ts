// Packets laid out in time, as tests look at it.
import {
  type Gap,
  type LaidPacket,
  type LayoutFormat,
  type Silence,
  TrackLayout,
} from '../../src/ledger/track-layout.ts'

/** Telephone audio with the sender's clock. */
export const sender: LayoutFormat = { rate: 8000, clock: 'sender' }
/** The same with the clock of arrival. */
export const arrival: LayoutFormat = { rate: 8000, clock: 'arrival' }

/** Where packets start, the gaps, and the length of all. */
export type Placed = { readonly starts: number[]; readonly gaps: Gap[]; readonly total: number }

/** Lays out a track. */
export function lay(
  packets: readonly LaidPacket[],
  format: LayoutFormat = sender,
  silences: readonly Silence[] = [],
): Placed {
  const gaps: Gap[] = []
  const layout = new TrackLayout(format, silences, (gap) => gaps.push(gap))
  const starts = packets.map((packet) => layout.place(packet))
  layout.end()
  return { starts, gaps, total: layout.state.position }
}
