// Who is who in a result. The analysis takes the track inbound for the customer; a supervisor may have said
// that it is the agent. Pure.

/** What the analysis made of a call. */
export type Result = {
  readonly transcription: string | null
  readonly sentiment: string | null
  readonly summary: string | null
}

const label = /^(Customer|Agent)(?=: )/gm

/**
 * The result with the roles as a supervisor set them. Where the transcription says who speaks, the names are
 * exchanged; the sentiment and the summary were made for the wrong person then, and are left out.
 */
export function resultAsSeen(result: Result, tracksSwapped: boolean): Result {
  const { transcription, sentiment, summary } = result
  const exchanged =
    tracksSwapped && transcription !== null
      ? transcription.replace(label, (name) => (name === 'Customer' ? 'Agent' : 'Customer'))
      : transcription
  if (exchanged === transcription) return { transcription, sentiment, summary }
  return { transcription: exchanged, sentiment: null, summary: null }
}
