// Recognises, in the bytes of a connection, the requests of those who send packets: above all a POST of JSON whose length
// is known. This is no parser of HTTP: a head with anything unusual in it, above all whatever could make two
// readers disagree on where a request ends (RFC 9112, section 11.2), is for the parser of Node.
import { type TrackName, trackNames } from '../ledger/packet.ts'

/** A request with a packet. */
export type PacketRequest = {
  readonly kind: 'packet'
  readonly callId: string
  readonly track: TrackName
  /** What should be JSON. */
  readonly body: Buffer
  /** Bytes of the request, with its head. */
  readonly length: number
}

/** What senders of packets ask besides: that their call is over, and what became of it. */
export type CallRequest = {
  readonly kind: 'call'
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly length: number
}

/** Node takes no longer head, in bytes. */
const longestHead = 2 ** 14
/** Requests that are not whole yet are waited for up to so many bytes: a minute of audio is no single packet. */
const longestWaitedFor = 2 ** 14

const stream = 'POST /v1/call/stream/'
const openings = ['POST /v1/call/', 'GET /v1/call/']
const endOfHead = '\r\n\r\n'
const id = '(?!history[ ?])[A-Za-z0-9][A-Za-z0-9._:~@+-]{0,127}'
const tracks = trackNames.join('|')
const packetLine = new RegExp(`^${stream}(${id})(?:\\?track=(${tracks}))? HTTP/1\\.1\r\n`)
const callLine = new RegExp(
  `^(?:POST (/v1/call/complete/${id})|GET (/v1/call/${id})) HTTP/1\\.1\r\n`,
)
const headerLine = /([A-Za-z0-9-]+): ?([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)\r\n/y
const decimal = /^\d{1,7}$/

/**
 * Reads the first request of what came.
 * @returns `incomplete` when it may yet become such a request; `other` when it is none
 */
export function readRequest(bytes: Buffer): PacketRequest | CallRequest | 'incomplete' | 'other' {
  const headEnd = bytes.indexOf(endOfHead, 0, 'latin1')
  if (headEnd === -1) return mayBecomeOne(bytes) ? 'incomplete' : 'other'
  if (headEnd > longestHead) return 'other'
  const head = bytes.toString('latin1', 0, headEnd + 2)
  const start = headEnd + endOfHead.length
  const packet = packetLine.exec(head)
  if (packet === null) return readCallRequest(head, start)
  const [line, callId = '', track] = packet
  const { isJson, bodyLength } = readHeaders(head, line.length) ?? {}
  if (isJson !== true || bodyLength === undefined) return 'other'
  const length = start + bodyLength
  if (length > bytes.length) return length <= longestWaitedFor ? 'incomplete' : 'other'
  return {
    kind: 'packet',
    // A copy: a part of the head would keep the head in memory, as long as the call is remembered.
    callId: bytes.toString('latin1', stream.length, stream.length + callId.length),
    track: trackNames.find((name) => name === track) ?? 'mixed',
    body: bytes.subarray(start, length),
    length,
  }
}

function readCallRequest(head: string, length: number): CallRequest | 'other' {
  const [line, completed, read] = callLine.exec(head) ?? []
  if (line === undefined) return 'other'
  const { bodyLength = 0 } = readHeaders(head, line.length) ?? { bodyLength: Number.NaN }
  if (bodyLength !== 0) return 'other'
  return completed === undefined
    ? { kind: 'call', method: 'GET', path: read ?? '', length }
    : { kind: 'call', method: 'POST', path: completed, length }
}

function mayBecomeOne(bytes: Buffer): boolean {
  if (bytes.length >= longestWaitedFor) return false
  return openings.some((opening) => opening.startsWith(bytes.toString('latin1', 0, opening.length)))
}

/** What the headers say of the body; undefined when they say anything that is not for us. */
function readHeaders(
  head: string,
  from: number,
): { readonly isJson: boolean; readonly bodyLength: number | undefined } | undefined {
  let bodyLength: number | undefined
  let isJson = false
  let hasHost = false
  headerLine.lastIndex = from
  while (headerLine.lastIndex < head.length) {
    const [, name, value] = headerLine.exec(head) ?? []
    if (name === undefined || value === undefined) return undefined
    switch (name.toLowerCase()) {
      case 'content-length':
        if (bodyLength !== undefined || !decimal.test(value)) return undefined
        bodyLength = Number(value)
        break
      case 'content-type':
        if (isJson || value !== 'application/json') return undefined
        isJson = true
        break
      case 'host':
        if (hasHost) return undefined
        hasHost = true
        break
      case 'connection':
        if (value.toLowerCase() !== 'keep-alive') return undefined
        break
      case 'content-encoding':
      case 'expect':
      case 'proxy-connection':
      case 'te':
      case 'trailer':
      case 'transfer-encoding':
      case 'upgrade':
        return undefined
    }
  }
  return hasHost ? { isJson, bodyLength } : undefined
}
