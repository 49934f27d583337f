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

const openings = ['POST /v1/call/', 'GET /v1/call/']
const endOfLine = '\r\n'
const endOfHead = '\r\n\r\n'
const id = '(?!history[ ?])[A-Za-z0-9][A-Za-z0-9._:~@+-]{0,127}'
const tracks = trackNames.join('|')
const packetLine = new RegExp(`^POST /v1/call/stream/(${id})(?:\\?track=(${tracks}))? HTTP/1\\.1$`)
const callLine = new RegExp(`^(?:POST (/v1/call/complete/${id})|GET (/v1/call/${id})) HTTP/1\\.1$`)
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
  const lineEnd = bytes.indexOf(endOfLine, 0, 'latin1')
  const line = knownLines.of(bytes.toString('latin1', 0, lineEnd))
  if (line === 'other') return 'other'
  const headers = knownHeaders.of(bytes.toString('latin1', lineEnd + 2, headEnd + 2))
  if (headers === 'other') return 'other'
  const { isJson, bodyLength } = headers
  const start = headEnd + endOfHead.length
  if (line.kind === 'call') return (bodyLength ?? 0) === 0 ? { ...line, length: start } : 'other'
  if (!isJson || bodyLength === undefined) return 'other'
  const length = start + bodyLength
  if (length > bytes.length) return length <= longestWaitedFor ? 'incomplete' : 'other'
  const { callId, track } = line
  return { kind: 'packet', callId, track, body: bytes.subarray(start, length), length }
}

function mayBecomeOne(bytes: Buffer): boolean {
  if (bytes.length >= longestWaitedFor) return false
  return openings.some((opening) => opening.startsWith(bytes.toString('latin1', 0, opening.length)))
}

/** What is read of texts, remembered: those of a sender are nearly always the same. */
class Known<Read> {
  readonly #known = new Map<string, Read>()
  readonly #most: number
  readonly #read: (text: string) => Read

  constructor(most: number, read: (text: string) => Read) {
    this.#most = most
    this.#read = read
  }

  of(text: string): Read {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const read = this.#read(text)
    if (this.#known.size >= this.#most) this.#known.clear()
    if (text.length <= longestKnown) this.#known.set(text, read)
    return read
  }
}

const longestKnown = 512
const knownLines = new Known(20_000, readLine)
const knownHeaders = new Known(1_000, readHeaders)

type Line =
  | Pick<PacketRequest, 'kind' | 'callId' | 'track'>
  | Pick<CallRequest, 'kind' | 'method' | 'path'>

function readLine(text: string): Line | 'other' {
  const [isPacket, callId = '', track] = packetLine.exec(text) ?? []
  if (isPacket !== undefined)
    return {
      kind: 'packet',
      callId,
      track: trackNames.find((name) => name === track) ?? 'mixed',
    }
  const [isCall, completed, read = ''] = callLine.exec(text) ?? []
  if (isCall === undefined) return 'other'
  return completed === undefined
    ? { kind: 'call', method: 'GET', path: read }
    : { kind: 'call', method: 'POST', path: completed }
}

/** What headers say of the body. */
type Headers = { readonly isJson: boolean; readonly bodyLength: number | undefined }

function readHeaders(text: string): Headers | 'other' {
  let bodyLength: number | undefined
  let isJson = false
  let hasHost = false
  headerLine.lastIndex = 0
  while (headerLine.lastIndex < text.length) {
    const [, name, value] = headerLine.exec(text) ?? []
    if (name === undefined || value === undefined) return 'other'
    switch (name.toLowerCase()) {
      case 'content-length':
        if (bodyLength !== undefined || !decimal.test(value)) return 'other'
        bodyLength = Number(value)
        break
      case 'content-type':
        if (isJson || value !== 'application/json') return 'other'
        isJson = true
        break
      case 'host':
        if (hasHost) return 'other'
        hasHost = true
        break
      case 'connection':
        if (value.toLowerCase() !== 'keep-alive') return 'other'
        break
      case 'content-encoding':
      case 'expect':
      case 'proxy-connection':
      case 'te':
      case 'trailer':
      case 'transfer-encoding':
      case 'upgrade':
        return 'other'
    }
  }
  return hasHost ? { isJson, bodyLength } : 'other'
}
