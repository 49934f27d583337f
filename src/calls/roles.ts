// Who is who in a result: as the analysis took it, and as a supervisor has said since. Pure.

/** What the analysis made of a call. */
export type Result = {
  readonly transcription: string | null
  readonly sentiment: string | null
  readonly summary: string | null
}

/** Who spoke for how long, in seconds. */
export type Talk = {
  /** Null, as is `agent`: nobody can tell who spoke. */
  readonly customer: number | null
  readonly agent: number | null
  /** Nobody spoke. */
  readonly silence: number
  /** Of the whole call. */
  readonly length: number
}

/** The talk with the roles as they are now. */
export function talkAsSeen(talk: Talk, swapped: boolean): Talk {
  return swapped ? { ...talk, customer: talk.agent, agent: talk.customer } : talk
}

/** Of a row of calls, by its alias: the roles are other ones than when it was analysed. SQL. */
export function rolesExchanged(alias: string): string {
  return `(${alias}.tracks_swapped <> ${alias}.result_swapped)`
}

/**
 * Of a row of calls, by its alias: the mood of who is the customer now. SQL.
 * @param otherwise when nobody can tell the speakers apart
 */
export function moodOfCustomer(
  alias: string,
  field: 'label' | 'score',
  otherwise: string,
  silent: string,
): string {
  const key = (swapped: string, plain: string) =>
    `CASE WHEN ${alias}.tracks_swapped THEN '${swapped}' ELSE '${plain}' END`
  return `(SELECT CASE
      WHEN result->'tracks' ?| '{inbound,outbound,customer,agent}'
      THEN coalesce(coalesce(
        result->'tracks'->${key('outbound', 'inbound')},
        result->'tracks'->${key('agent', 'customer')})->>'${field}', '${silent}')
      ELSE ${otherwise} END
    FROM analysis_steps WHERE call = ${alias}.id AND step = 'mood' AND analysis_steps.track = '')`
}

/** Of a row of calls, by its alias: the sentiment with the roles as they are now. SQL. */
export function sentimentAsSeen(alias: string): string {
  return `CASE WHEN ${rolesExchanged(alias)}
    THEN ${moodOfCustomer(alias, 'label', `${alias}.sentiment`, 'neutral')} ELSE ${alias}.sentiment END`
}

const label = /^(Customer|Agent)(?=: )/gm

/** A text with the names of those who speak its lines exchanged. */
export function exchangeNames(text: string): string {
  return text.replace(label, (name) => (name === 'Customer' ? 'Agent' : 'Customer'))
}

/**
 * The result with the roles as they are now. Where the transcription says who speaks, the names are exchanged; the
 * summary was made with the others, and is left out.
 * @param exchanged the roles are other ones than when it was analysed
 */
export function resultAsSeen(result: Result, exchanged: boolean): Result {
  const { transcription, sentiment, summary } = result
  if (!exchanged || transcription === null) return { transcription, sentiment, summary }
  const named = exchangeNames(transcription)
  return { transcription: named, sentiment, summary: named === transcription ? summary : null }
}
