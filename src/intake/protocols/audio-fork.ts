// What FreeSWITCH and jambonz have in common beside the audio: whose voice the channels are, and the texts that
// come in between.
import Type from 'typebox'
import type { TrackName } from '../../ledger/packet.ts'
import { messageReader, parseMessage, readChoice } from '../media/message.ts'
import { type MediaStream, ProtocolViolation } from '../media/protocol.ts'
import { noteText } from './linear.ts'

/** The longest binary message, in bytes: both modules send what has piled up. */
export const longestForkMessage = 2 ** 20

/**
 * Whose voice the channels are. The left one, and the only one in mono, is what FreeSWITCH reads from the leg that
 * is forked: the voice of the party on it, who called or was called. That is the customer, unless `track` says
 * that the leg is the agent's.
 * @throws ProtocolViolation when there is no such mix, or not with this track
 */
export function readChannels(mix: string, track: TrackName | undefined): readonly TrackName[] {
  const choice = readChoice(mix, ['mono', 'mixed', 'stereo'], 'mix')
  if (choice === 'mono') return [track ?? 'inbound']
  if (choice === 'mixed') return [track ?? 'mixed']
  if (track === 'mixed') throw new ProtocolViolation('The track of a stereo stream is not mixed')
  return track === 'outbound' ? ['outbound', 'inbound'] : ['inbound', 'outbound']
}

const digits = '^[0-9*#A-Da-d]{1,32}$'
const readKeys = messageReader(
  Type.Object({
    event: Type.Optional(Type.Enum(['dtmf'])),
    type: Type.Optional(Type.Enum(['dtmf'])),
    dtmf: Type.Optional(Type.String({ pattern: digits })),
    digit: Type.Optional(Type.String({ pattern: digits })),
    digits: Type.Optional(Type.String({ pattern: digits })),
    duration: Type.Optional(Type.Union([Type.String({ maxLength: 20 }), Type.Number()])),
  }),
)

/** A text that is no metadata: keys that were pressed, or a note. */
export function hearText(stream: MediaStream, text: string): void {
  const keys = keysIn(text)
  if (keys === undefined) noteText(stream, text)
  else for (const digit of keys.digits) stream.dtmf(digit.toUpperCase(), keys.more)
}

/** The keys that a text tells of, with what it says of them; `undefined` when it tells of none. */
export function keysIn(
  text: string,
): { readonly digits: string; readonly more: Readonly<Record<string, unknown>> } | undefined {
  try {
    const { event, type, dtmf, digit, digits, duration } = readKeys(parseMessage(text))
    const pressed = dtmf ?? digit ?? digits
    if ((event ?? type) === undefined || pressed === undefined) return undefined
    return { digits: pressed, more: duration === undefined ? {} : { duration } }
  } catch (error) {
    if (error instanceof ProtocolViolation) return undefined
    throw error
  }
}
