// The messages of Genesys AudioHook, version 2: what the client says, as typed values.
// https://developer.genesys.cloud/devapps/audiohook
import Type from 'typebox'
import type { TrackName } from '../../ledger/packet.ts'
import { messageReader } from '../media/message.ts'

/** Stands for no session, no conversation: a client that only tries whether there is somebody. */
export const nullUuid = '00000000-0000-0000-0000-000000000000'

const uuidPattern = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
const isUuidPattern = new RegExp(uuidPattern)
const Uuid = Type.String({ pattern: uuidPattern })
const Sequence = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
/** Up to eleven days. */
const Duration = Type.String({ pattern: '^PT([0-9]{0,6}[.][0-9]{1,20}|[0-9]{1,6})S$' })

/** True for a UUID, the null UUID too. */
export function isUuid(text: string): boolean {
  return isUuidPattern.test(text)
}

/** Seconds of a duration such as `PT12.5S`. */
export function secondsOf(duration: string): number {
  return Number(duration.slice(2, -1))
}

/** What every message has. */
export const readEnvelope = messageReader(
  Type.Object({
    version: Type.Enum(['2']),
    id: Uuid,
    type: Type.String(),
    seq: Sequence,
    serverseq: Sequence,
    position: Duration,
    parameters: Type.Object({}),
  }),
)
/** A message; its parameters are those of its type. */
export type Envelope = ReturnType<typeof readEnvelope>

/** The parameters of `open`. */
export const readOpen = messageReader(
  Type.Object({
    organizationId: Uuid,
    conversationId: Uuid,
    participant: Type.Object({ id: Uuid }),
    media: Type.Array(Type.Unknown(), { maxItems: 100 }),
    language: Type.Optional(Type.String()),
    supportedLanguages: Type.Optional(Type.Boolean()),
    continuedSessions: Type.Optional(Type.Array(Type.Object({ id: Uuid }), { maxItems: 100 })),
    customConfig: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  }),
)

/** The parameters of `close`. */
export const readClose = messageReader(
  Type.Object({ reason: Type.Enum(['end', 'error', 'disconnect', 'reconnect']) }),
)
/** Why the client closes. */
export type CloseReason = ReturnType<typeof readClose>['reason']

/** The parameters of `discarded` and `resumed`: the position at which audio begins that is not sent, and how long. */
export const readDiscarded = messageReader(Type.Object({ start: Duration, discarded: Duration }))

/** The parameters of `update`. */
export const readUpdate = messageReader(Type.Object({ language: Type.String({ maxLength: 20 }) }))

/** The parameters of `dtmf`. */
export const readDtmf = messageReader(
  Type.Object({ digit: Type.String({ pattern: '^[0-9*#A-D]$' }) }),
)

/** The parameters of `error`. */
export const readError = messageReader(
  Type.Object({ code: Type.Integer(), message: Type.String() }),
)

/** A format that was offered. */
export type Medium = {
  readonly format: 'PCMU' | 'L16'
  readonly rate: 8000
  readonly channels: readonly ('external' | 'internal')[]
}

const checkMedium = messageReader(
  Type.Object({
    type: Type.Enum(['audio']),
    format: Type.Enum(['PCMU', 'L16']),
    rate: Type.Enum([8_000]),
    channels: Type.Array(Type.Enum(['external', 'internal']), {
      minItems: 1,
      maxItems: 2,
      uniqueItems: true,
    }),
  }),
)

/** The first one on offer with both channels, else the first that can be used; `undefined` when none can. */
export function chooseMedium(offered: readonly unknown[]): Medium | undefined {
  const usable = offered.filter(isMedium)
  return usable.find(({ channels }) => channels.length === 2) ?? usable[0]
}

function isMedium(offer: unknown): offer is Medium {
  try {
    checkMedium(offer)
    return true
  } catch {
    return false
  }
}

/** The customer is outside of the contact centre, the agent inside. */
export const trackOf: Readonly<Record<Medium['channels'][number], TrackName>> = {
  external: 'inbound',
  internal: 'outbound',
}
