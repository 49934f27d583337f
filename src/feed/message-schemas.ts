// The messages of the feed and of the packet streams as JSON Schema, for those who write clients.
import Type from 'typebox'
import { callIdPattern } from '../calls/call-id.ts'
import { Floor } from '../calls/floor.ts'
import { FloorCall } from '../calls/floor-view.ts'
import { callStatuses } from '../calls/transitions.ts'
import { filterParameters } from './filter.ts'

const time = Type.String({ format: 'date-time' })
const position = Type.Integer({ minimum: 0, description: 'Grows by one with every event' })
const status = Type.Enum(callStatuses, { type: 'string' })
const callId = Type.String({ pattern: callIdPattern })
const track = Type.Enum(['inbound', 'outbound', 'mixed'], { type: 'string' })
const particulars = Type.Record(Type.String(), Type.Any())
const orNull = (schema: typeof time) => Type.Union([schema, Type.Null()])
const event = {
  call_id: callId,
  timestamp: time,
  position,
  call: Type.Optional(
    Type.Union([FloorCall, Type.Null()], {
      description: 'On the event stream: the call as it is now; null when it is gone',
    }),
  ),
}

/** The parameters of the query of the WebSockets. */
export const feedQuery = {
  after: { type: 'integer', minimum: 0, description: 'Resume after this position' },
  ...filterParameters,
}

export const Connected = Type.Object({
  type: Type.Literal('connected'),
  message: Type.String(),
  timestamp: time,
  position,
})

export const CallUpdate = Type.Object({
  type: Type.Literal('call_update'),
  status,
  data: Type.Object(
    { previous_status: Type.Union([status, Type.Null()]), version: Type.Integer() },
    { additionalProperties: true },
  ),
  ...event,
})

export const AiResult = Type.Object({
  type: Type.Literal('ai_result'),
  transcription: orNull(Type.String()),
  sentiment: orNull(Type.String()),
  summary: orNull(Type.String()),
  ...event,
})

export const AnalysisAttempt = Type.Object({
  type: Type.Literal('analysis_attempt'),
  data: particulars,
  ...event,
})

export const CallEvent = Type.Object({
  type: Type.Literal('call_event'),
  event: Type.String({ examples: ['stream_started', 'no_audio', 'call_erased'] }),
  data: particulars,
  ...event,
})

export const Resync = Type.Object({ type: Type.Optional(Type.Literal('resync')), position })
export const Pong = Type.Object({
  type: Type.Literal('pong'),
  received: Type.String(),
  timestamp: time,
})

export const Tick = Type.Object({
  now: time,
  packets_per_second: Type.Number({ description: 'Of all gateways' }),
  commit_ms: Type.Number({ description: 'The median of the last commits' }),
  live: Type.Integer({ description: 'Calls in progress' }),
  position,
  counts: Floor.properties.counts,
  lag_ms: Type.Number({
    description: 'From what happened to its being streamed: the longest of the last second',
  }),
})

export const Conflated = Type.Object({ calls: Type.Integer({ minimum: 1 }) })

export const Packet = Type.Object({
  sequence: Type.Integer({ minimum: 0 }),
  data: Type.String(),
  timestamp: Type.Number({ exclusiveMinimum: 0 }),
  track: Type.Optional(track),
  call_id: Type.Optional(callId),
})

export const Open = Type.Object({
  type: Type.Literal('open'),
  channel: Type.Integer({ minimum: 1, maximum: 65_535 }),
  call_id: callId,
})

export const Complete = Type.Object({
  type: Type.Literal('complete'),
  call_id: Type.Optional(callId),
})

export const Ack = Type.Object({
  type: Type.Literal('ack'),
  call_id: callId,
  track,
  through: Type.Integer(),
  packets: Type.Integer(),
  duplicates: Type.Integer(),
  late: Type.Integer(),
  missing_packets: Type.String(),
})

export const Completed = Type.Object({
  type: Type.Literal('completed'),
  call_id: callId,
  status,
})

export const Refused = Type.Object(
  { type: Type.Literal('error'), code: Type.String(), detail: Type.Any() },
  { additionalProperties: true },
)
