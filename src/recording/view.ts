// The schemas of what is told about the audio of a call; they serialise and document.
import Type, { type TSchema } from 'typebox'
import { callStatuses } from '../calls/transitions.ts'
import { trackNames } from '../ledger/packet.ts'

const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const count = (description: string) => Type.Integer({ minimum: 0, description })
const milliseconds = (description: string) =>
  Type.Number({ minimum: 0, description: `${description}, in milliseconds` })

const track = Type.Enum(trackNames, { type: 'string', description: 'As the PBX named it' })
const role = Type.Enum(['customer', 'agent', 'both'], {
  type: 'string',
  description: 'Whose voice it is; exchanged when the tracks of the call are swapped',
})

const Gap = Type.Object(
  {
    start_ms: orNull(milliseconds('From the start of the call')),
    duration_ms: orNull(milliseconds('How long')),
    first_sequence: count('The first missing packet, or the one after the gap'),
    last_sequence: count('The last missing packet, or the one after the gap'),
    packets: count('How many packets are missing; 0 where no number tells of the gap'),
    cause: Type.Enum(
      ['missing', 'unsent', 'clock', 'reported', 'reconnect', 'paused', 'overload'],
      { type: 'string', description: 'Why; paused and unsent are no loss' },
    ),
  },
  { title: 'Gap' },
)

const gaps = Type.Array(Gap, { description: 'In order of time; of more than 1,000 the newest' })

const head = {
  call_id: Type.String(),
  status: Type.Enum(callStatuses, { type: 'string' }),
}

/** The reply of the quality. */
export const Quality = Type.Object(
  {
    ...head,
    grade: orNull(
      Type.Enum(['A', 'B', 'C', 'D', 'F'], {
        type: 'string',
        description:
          'By the share of audio lost: A at most 0.1 %, B 1 %, C 3 %, D 10 %, F more; null without audio',
      }),
    ),
    lost_ms: orNull(milliseconds('Audio lost, of all tracks together')),
    duration_ms: orNull(milliseconds('How long the call lasts')),
    tracks: Type.Array(
      Type.Object({
        track,
        role,
        encoding: orNull(Type.String({ examples: ['PCMU'] })),
        rate: orNull(Type.Integer({ description: 'Samples a second' })),
        received: count('Packets stored, each sequence once'),
        duplicate: count('Packets that came again'),
        late: count('Packets that came more than 200 ms after a higher number'),
        reordered: count('Packets that came after a higher number, but within 200 ms'),
        missing_packets: Type.String({
          description: 'Sequence numbers not received; a gap of more than ten as a range',
          examples: ['', '2,3', '5-1000000'],
        }),
        missing_count: count('How many numbers are missing'),
        missing_ms: orNull(milliseconds('Audio lost')),
        duration_ms: orNull(milliseconds('How long the track lasts, gaps included')),
        gaps,
        gaps_total: count('How many gaps there are'),
      }),
    ),
  },
  { title: 'Quality' },
)

/** The reply of the peaks. */
export const Peaks = Type.Object(
  {
    ...head,
    duration_ms: milliseconds('How long the call lasts'),
    tracks: Type.Array(
      Type.Object({
        track,
        role,
        start_ms: milliseconds('When the track begins'),
        duration_ms: milliseconds('How long the track lasts, gaps included'),
        peaks: Type.Array(
          Type.Array(Type.Number({ minimum: -1, maximum: 1 }), { minItems: 2, maxItems: 2 }),
          {
            description:
              'The least and the greatest sample of each of as many equal parts of the call',
          },
        ),
        gaps,
        gaps_total: count('How many gaps there are'),
      }),
    ),
  },
  { title: 'Peaks' },
)

/** The query parameter that names a track. */
export const TrackParameter = (description: string) =>
  Type.Optional(Type.Enum(trackNames, { type: 'string', description }))
