// A call as the HTTP API shows it: the schemas, which serialise and document, and the way from row to reply.
import Type, { type Static, type TSchema } from 'typebox'
import { describeRanges, parseMultirange } from './missing-packets.ts'
import { resultAsSeen } from './roles.ts'
import type { CallRow } from './statements.ts'
import { callStatuses } from './transitions.ts'

const time = (description: string) =>
  Type.String({ format: 'date-time', description: `${description}, ISO 8601, UTC` })

const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

const callFields = {
  id: Type.Integer({ description: 'Grows with every new call' }),
  call_id: Type.String(),
  status: Type.Enum(callStatuses, { type: 'string' }),
  created_at: time('When the first packet was stored'),
  updated_at: time('The last change or packet'),
  completed_at: orNull(time('When the call was completed')),
  total_packets: Type.Integer({ description: 'Packets stored, each sequence once' }),
  missing_packets: Type.String({
    description: 'Sequence numbers not received, sorted; a gap of more than ten as a range',
    examples: ['', '2,3', '5-1000000'],
  }),
  transcription: orNull(Type.String()),
  sentiment: orNull(Type.String({ examples: ['positive', 'neutral', 'negative', 'mixed'] })),
  ai_processed_at: orNull(time('When the result was stored')),
  error_message: orNull(Type.String({ description: 'Why the last attempt failed' })),
}

/** A call, as lists and the completion show it. */
export const Call = Type.Object(callFields, { title: 'Call' })

/** A call, with what is asked of a single one. */
export const CallDetail = Type.Object(
  {
    ...callFields,
    packets_count: Type.Integer({ description: 'The same as total_packets' }),
    missing_count: Type.Integer({
      description: 'How many numbers are missing, also beyond the 1,000 gaps a track lists exactly',
    }),
    ai_processing_attempts: Type.Integer({ description: 'Analyses begun so far' }),
    summary: orNull(Type.String()),
    tracks_swapped: Type.Boolean({
      description: 'A supervisor said that inbound is the agent and outbound the customer',
    }),
  },
  { title: 'CallDetail' },
)

/** The reply of the history. */
export const CallHistory = Type.Object(
  {
    calls: Type.Array(Call),
    total: Type.Integer({ description: 'How many calls there are, of the status asked for' }),
    cursor: orNull(Type.String({ description: 'Give it as `cursor` to read on; null at the end' })),
  },
  { title: 'CallHistory' },
)

const iso = (date: Date | null) => date?.toISOString() ?? null

/** The call of a row. */
export function viewCall(row: CallRow): Static<typeof Call> {
  const { transcription, sentiment } = resultAsSeen(row, row.exchanged)
  return {
    id: row.id,
    call_id: row.call_id,
    status: row.status,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    completed_at: iso(row.completed_at),
    total_packets: row.total_packets,
    missing_packets: describeRanges(parseMultirange(row.missing)),
    transcription,
    sentiment,
    ai_processed_at: iso(row.ai_processed_at),
    error_message: row.error_message,
  }
}

/** The call of a row, in detail. */
export function viewCallDetail(row: CallRow): Static<typeof CallDetail> {
  return {
    ...viewCall(row),
    packets_count: row.total_packets,
    missing_count: row.missing_count,
    ai_processing_attempts: row.attempts,
    summary: resultAsSeen(row, row.exchanged).summary,
    tracks_swapped: row.tracks_swapped,
  }
}
