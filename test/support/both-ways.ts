// The two ways of a packet into the gateway: the shortcut past the framework, and the framework. A content type
// with a charset goes the longer way.

/** The call of each way has a name of the same length, for the sake of content-length. */
export const ways = [
  { name: 'short', type: 'application/json' },
  { name: 'usual', type: 'application/json; charset=utf-8' },
] as const
/** One of them. */
export type Way = (typeof ways)[number]

/** A request with a packet. */
export type PacketPost = {
  readonly body: string | Buffer
  /** What follows the call's id. */
  readonly query?: string
  readonly version?: '1.0' | '1.1'
  readonly headers?: readonly string[]
  /** The name of the header, as it is written. */
  readonly contentType?: string
  /** A head without content-length. */
  readonly isChunked?: boolean
}

/** A packet as JSON. */
export const packet = (sequence: unknown, more = '') =>
  `{"sequence":${sequence},"data":"audio chunk","timestamp":1${more}}`

/** The head of a request. */
export function headOf(callId: string, { type }: Way, request: PacketPost): string {
  const { body, query = '', version = '1.1', headers = [], contentType = 'content-type' } = request
  const lines = [
    `POST /v1/call/stream/${callId}${query} HTTP/${version}`,
    'Host: gateway',
    `${contentType}: ${type}`,
    ...(request.isChunked === true ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    ...headers,
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}
