// The closed list of what can go wrong, in one place: a stable code, the HTTP status it becomes, and
// whether the same request may succeed later. `border/refusals.ts` is the only file that turns these into
// replies; nothing else may invent a status.
import Type, { type TSchema } from 'typebox'

/** Every error code, its HTTP status, whether a retry can help, and what it means to a client. */
export const errorCatalogue = {
  validation_failed: {
    status: 422,
    retryable: false,
    meaning: 'The request was understood and a field of it has a value that is not accepted.',
  },
  malformed_request: {
    status: 400,
    retryable: false,
    meaning: 'The request is not valid HTTP, or its path cannot be decoded.',
  },
  not_found: { status: 404, retryable: false, meaning: 'There is no such route.' },
  call_not_found: {
    status: 404,
    retryable: false,
    meaning: 'No packet of this call ever arrived.',
  },
  announcement_not_found: {
    status: 404,
    retryable: false,
    meaning: 'Nothing was announced for this stream, or it was longer ago than a day.',
  },
  no_transcript: {
    status: 404,
    retryable: false,
    meaning: 'Nothing of the call is transcribed yet. Its timeline says why.',
  },
  call_not_completable: {
    status: 400,
    retryable: false,
    meaning: 'The call has failed; it is analysed again by itself and cannot be completed.',
  },
  call_sealed: {
    status: 409,
    retryable: false,
    meaning:
      'The analysis of the call has begun: its audio is closed and the packet was not stored.',
  },
  call_in_use: {
    status: 409,
    retryable: false,
    meaning:
      'The call is in progress or being analysed, and is only erased when that is insisted on.',
  },
  demo_running: {
    status: 409,
    retryable: false,
    meaning: 'The calls of a demonstration are still being played.',
  },
  transition_refused: {
    status: 409,
    retryable: false,
    meaning: 'The call is in a state from which the requested transition does not exist.',
  },
  no_recording: {
    status: 409,
    retryable: false,
    meaning: 'The call has no audio that can be decoded: no format is declared, or an unknown one.',
  },
  range_not_satisfiable: {
    status: 416,
    retryable: false,
    meaning: 'The recording ends before the range of bytes that was asked for.',
  },
  payload_too_large: { status: 413, retryable: false, meaning: 'The body is over the size limit.' },
  unsupported_media_type: {
    status: 415,
    retryable: false,
    meaning: 'The content type of the body is not application/json.',
  },
  signature_refused: {
    status: 403,
    retryable: false,
    meaning: 'The PBX did not prove who it is: a signature or key is missing, wrong or too old.',
  },
  upgrade_required: {
    status: 426,
    retryable: false,
    meaning: 'The route is a WebSocket, and the request does not ask for one.',
  },
  overloaded: {
    status: 503,
    retryable: true,
    meaning: 'The queue in front of the database is full; nothing was stored. Try again.',
  },
  call_locked: {
    status: 503,
    retryable: true,
    meaning: 'Another session holds this call locked for too long; nothing was stored. Try again.',
  },
  database_unavailable: {
    status: 503,
    retryable: true,
    meaning: 'The database does not answer; it is not known that anything was stored. Try again.',
  },
  shutting_down: {
    status: 503,
    retryable: true,
    meaning:
      'This gateway is stopping; nothing was stored. Try again, on another gateway or later.',
  },
  internal: {
    status: 500,
    retryable: false,
    meaning: 'A defect of the gateway. It is logged with the request id.',
  },
} as const satisfies Record<string, { status: number; retryable: boolean; meaning: string }>

/** A code of {@link errorCatalogue}. Compare errors by it, never by their text. */
export type ErrorCode = keyof typeof errorCatalogue

/** An error with a code of the catalogue. Its message is written for the client and holds no secret. */
export class GatewayError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'GatewayError'
    this.code = code
  }

  get status(): number {
    return errorCatalogue[this.code].status
  }

  get retryable(): boolean {
    return errorCatalogue[this.code].retryable
  }
}

/** The body of every error reply but 422. */
export const ErrorReply = Type.Object(
  {
    detail: Type.String({ description: 'What is wrong, for a person.' }),
    code: Type.String({ description: 'What is wrong, for a program.' }),
  },
  { title: 'Error' },
)

/** The body of a 422: one entry for each field that is not accepted. */
export const ValidationReply = Type.Object(
  {
    detail: Type.Array(
      Type.Object({
        type: Type.String({ examples: ['int_type', 'missing', 'json_invalid'] }),
        loc: Type.Array(Type.Union([Type.String(), Type.Integer()]), {
          examples: [['body', 'sequence']],
        }),
        msg: Type.String({ description: 'What is accepted.' }),
        input: Type.Any({ description: 'What came, shortened.' }),
      }),
    ),
  },
  { title: 'ValidationError' },
)

/** The error replies of a route for its schema, by status. */
export function errorReplies(...codes: ErrorCode[]): Record<number, TSchema> {
  return Object.fromEntries(
    codes.map((code) => {
      const { status, meaning } = errorCatalogue[code]
      const body = status === 422 ? ValidationReply : ErrorReply
      return [status, { ...body, description: meaning }]
    }),
  )
}

/**
 * A mistake of the person who starts the program (a wrong setting, a port in use). The command prints the
 * message, without a stack, and exits with code 2.
 */
export class StartupError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartupError'
  }
}
