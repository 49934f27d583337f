// What an AudioHook client says, numbered as it has to be; written from the protocol, not from our side of it.
import { createHmac } from 'node:crypto'

/** The session and the conversation of all examples. */
export const ids = {
  session: '30b0e395-84d3-4570-ac13-9a62d8f514c0',
  organization: 'd7934305-0972-4844-938e-9060eef73d05',
  correlation: 'e160e428-53e2-487c-977d-96989bf5c99d',
  conversation: '090eaa2f-72fa-480a-83e0-8667ff89c0ec',
  participant: '883efee8-3d6c-4537-b500-6d7ca4b92fa0',
  none: '00000000-0000-0000-0000-000000000000',
} as const

/** A format on offer. */
export function offer(format: 'PCMU' | 'L16', ...channels: string[]) {
  return { type: 'audio', format, channels, rate: 8000 }
}

const participant = { id: ids.participant, ani: '+15550100', aniName: 'Kim', dnis: '+15550199' }

/** The parameters of `open`. */
export function openParameters(more: Readonly<Record<string, unknown>> = {}) {
  return {
    organizationId: ids.organization,
    conversationId: ids.conversation,
    participant,
    media: [
      offer('PCMU', 'external', 'internal'),
      offer('PCMU', 'external'),
      offer('PCMU', 'internal'),
    ],
    ...more,
  }
}

/** Numbers the messages of one session. */
export function audioHookClient(session: string = ids.session) {
  let seq = 0
  return {
    /** The next message, as text. */
    message: (
      type: string,
      parameters: object = {},
      more: Readonly<Record<string, unknown>> = {},
    ): string => {
      seq += 1
      const envelope = { version: '2', id: session, type, seq, serverseq: 0, position: 'PT0S' }
      return JSON.stringify({ ...envelope, parameters, ...more })
    },
  }
}

/** How an upgrade is signed. */
export type Signing = {
  readonly apiKey: string
  /** Base64. */
  readonly secret: string
  readonly target: string
  readonly authority: string
  /** Seconds since 1970. */
  readonly created: number
  readonly nonce: string
  readonly session?: string
}

/** The headers of a signed upgrade. */
export function signedHeaders(signing: Signing): Record<string, string> {
  const { apiKey, secret, target, authority, created, nonce, session = ids.session } = signing
  const headers = {
    'audiohook-organization-id': ids.organization,
    'audiohook-session-id': session,
    'audiohook-correlation-id': ids.correlation,
    'x-api-key': apiKey,
  }
  const parts = { '@request-target': target, '@authority': authority, ...headers }
  const names = Object.keys(parts).map((name) => `"${name}"`)
  const input =
    `(${names.join(' ')});keyid="${apiKey}";nonce="${nonce}"` +
    `;alg="hmac-sha256";created=${created};expires=${created + 10}`
  const lines = Object.entries(parts).map(([name, value]) => `"${name}": ${value}`)
  const signature = createHmac('sha256', Buffer.from(secret, 'base64'))
    .update([...lines, `"@signature-params": ${input}`].join('\n'))
    .digest('base64')
  return { ...headers, 'signature-input': `sig1=${input}`, signature: `sig1=:${signature}:` }
}
