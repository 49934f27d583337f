// Where the tracks of a call begin in the time of the call. Pure.

/** What tells when a track began. */
export type TrackBeginning = {
  /**
   * Names the clock of its timestamps; tracks of the same name can be compared by it. See
   * {@link TrackBeginning.origin}.
   */
  readonly clock: string
  /** What that clock was at the start of the track, in seconds. */
  readonly origin: number
  /** When its first segment was committed, in seconds. */
  readonly received: number
}

/**
 * When each track begins, in seconds; the earliest at 0. Tracks are compared by a clock they share, and else by
 * when they were received.
 */
export function alignTracks(beginnings: readonly TrackBeginning[]): number[] {
  const first = new Map<string, TrackBeginning>()
  for (const beginning of beginnings) {
    const other = first.get(beginning.clock)
    if (other === undefined || beginning.origin < other.origin)
      first.set(beginning.clock, beginning)
  }
  const starts = beginnings.map(({ clock, origin, received }) => {
    const anchor = first.get(clock)
    return anchor === undefined ? received : anchor.received + (origin - anchor.origin)
  })
  const earliest = Math.min(...starts)
  return starts.map((start) => start - earliest)
}
