// Recognises, in the bytes of a connection, the request in which nearly all packets come: a POST of JSON whose
// length is known. This is no parser of HTTP: a head with anything unusual in it, above all whatever could make two
// readers disagree on where a request ends (RFC 9112, section 11.2), is for the parser of Node.
import { type TrackName, trackNames } from '../ledger/packet.ts'

/** A request with a packet, whole. */
export type PacketRequest = {
  readonly callId: string
  readonly track: TrackName
  /** What should be JSON. */
  readonly body: Buffer
  /** Bytes of the request, with its head. */
  readonly length: number
}

/** Requests that are not whole yet are waited for up to so many bytes: a minute of audio is no single packet. */
const longestWaitedFor = 2 ** 14

const opening = 'POST /v1/call/stream/'
const endOfHead = '\r\n\r\n'
const requestLine = new RegExp(
  `^${opening}([A-Za-z0-9][A-Za-z0-9._:~@+-]{0,127})(?:\\?track=(${trackNames.join('|')}))? HTTP/1\\.1\r\n`,
)
const headerLine = /([A-Za-z0-9-]+): ?([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)\r\n/y
const decimal = /^\d{1,7}$/

/**
 * Reads the first request of what came.
 * @returns `incomplete` when it may yet become such a request; `other` when it is none
 */
export function readPacketRequest(bytes: Buffer): PacketRequest | 'incomplete' | 'other' {
  const headEnd = bytes.indexOf(endOfHead, 0, 'latin1')
  if (headEnd === -1) {
    const beginning = bytes.toString('latin1', 0, opening.length)
    return opening.startsWith(beginning) && bytes.length < longestWaitedFor ? 'incomplete' : 'other'
  }
  const head = bytes.toString('latin1', 0, headEnd + 2)
  const match = requestLine.exec(head)
  if (match === null) return 'other'
  const [line, id = '', track] = match
  if (id === 'history') return 'other'
  const bodyLength = lengthOfBody(head, line.length)
  if (bodyLength === undefined) return 'other'
  const start = headEnd + endOfHead.length
  const length = start + bodyLength
  if (length > bytes.length) return length <= longestWaitedFor ? 'incomplete' : 'other'
  return {
    // A copy: a part of the head would keep the head in memory, as long as the call is remembered.
    callId: bytes.toString('latin1', opening.length, opening.length + id.length),
    track: trackNames.find((name) => name === track) ?? 'mixed',
    body: bytes.subarray(start, length),
    length,
  }
}

/** What the headers say of the body; undefined when they say anything that is not for us. */
function lengthOfBody(head: string, from: number): number | undefined {
  let length: number | undefined
  let isJson = false
  let hasHost = false
  headerLine.lastIndex = from
  while (headerLine.lastIndex < head.length) {
    const [, name, value] = headerLine.exec(head) ?? []
    if (name === undefined || value === undefined) return undefined
    switch (name.toLowerCase()) {
      case 'content-length':
        if (length !== undefined || !decimal.test(value)) return undefined
        length = Number(value)
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
  return isJson && hasHost ? length : undefined
}
