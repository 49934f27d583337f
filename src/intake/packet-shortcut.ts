// The hot path: a packet as the body of a plain POST. It leaves the framework's way, which costs more than
// everything else a packet needs. Only a request whose head is exactly what nearly all senders send is taken:
// another path, query, content type, or a body of unknown length goes the framework's way and is
// treated there in the same manner.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { parseJson } from '../border/json.ts'
import { refusalOf } from '../border/refusals.ts'
import { type ErrorCode, GatewayError } from '../errors.ts'
import { trackNames } from '../ledger/packet.ts'
import type { PacketIntake } from './packet-intake.ts'

/** Takes a request, or leaves it (false) to the framework. */
export type Shortcut = (request: IncomingMessage, response: ServerResponse) => boolean

/** What the shortcut needs. */
export type PacketShortcutOptions = {
  readonly intake: PacketIntake
  /** The largest body, in bytes; larger ones are for the framework to refuse. */
  readonly bodyLimit: number
  /** The gateway closes: connections are not kept. */
  readonly isClosing: () => boolean
  readonly onError: (error: Error, code: ErrorCode) => void
}

const target = new RegExp(
  `^/v1/call/stream/([A-Za-z0-9][A-Za-z0-9._:~@+-]{0,127})(?:\\?track=(${trackNames.join('|')}))?$`,
)

/** Builds the shortcut of `POST /v1/call/stream/{call_id}`. */
export function packetShortcut(options: PacketShortcutOptions): Shortcut {
  const { intake, bodyLimit, isClosing, onError } = options

  function reply(
    response: ServerResponse,
    status: number,
    body: string,
    encoding: 'latin1' | 'utf8',
    more: Readonly<Record<string, string>> = {},
  ): void {
    if (response.destroyed) return
    const headers = [
      'content-type',
      'application/json; charset=utf-8',
      'content-length',
      String(Buffer.byteLength(body, encoding)),
    ]
    for (const [name, value] of Object.entries(more)) headers.push(name, value)
    if (isClosing()) headers.push('connection', 'close')
    response.writeHead(status, headers)
    response.end(body, encoding)
  }

  function refuse(response: ServerResponse, error: Error): void {
    const { status, headers, body } = refusalOf(error)
    if (body.code !== undefined) onError(error, body.code)
    reply(response, status, JSON.stringify(body), 'utf8', headers)
  }

  function answer(
    callId: string,
    track: string | undefined,
    body: Buffer,
    response: ServerResponse,
  ) {
    try {
      intake.take(callId, trackNames.find((name) => name === track) ?? 'mixed', parseJson(body), {
        // There is nothing but ASCII in it, which as latin1 goes out without being looked at.
        accepted: (text) => reply(response, 202, text, 'latin1'),
        refused: (error) => refuse(response, error),
      })
    } catch (error) {
      refuse(response, error instanceof Error ? error : new GatewayError('internal', String(error)))
    }
  }

  return (request, response) => {
    if (request.method !== 'POST') return false
    const [, callId, track] = target.exec(request.url ?? '') ?? []
    if (callId === undefined || callId === 'history') return false
    const { headers } = request
    const length = Number(headers['content-length'])
    if (
      headers['content-type'] !== 'application/json' ||
      headers['content-encoding'] !== undefined ||
      !(length <= bodyLimit)
    )
      return false

    let first: Buffer | undefined
    let more: Buffer[] | undefined
    request.on('data', (chunk: Buffer) => {
      if (first === undefined) first = chunk
      else {
        more ??= [first]
        more.push(chunk)
      }
    })
    request.on('end', () => {
      const body = more === undefined ? (first ?? Buffer.alloc(0)) : Buffer.concat(more, length)
      answer(callId, track, body, response)
    })
    return true
  }
}
