// Requests to the packet routes that nobody would think of, and what each must come to: a second opinion, written
// from the contract, that shares no code with the product.
import fc from 'fast-check'
import { injections } from './hostile-texts.ts'

/** A request to one of the packet routes. */
export type PacketRequest = {
  readonly route: string
  readonly id: string
  readonly query: string
  readonly type: string
  readonly body: Buffer
}

const extremes = [0, 1, 2, 3, -1, 1.5, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 1e308, -0]
const text = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.constantFrom(...injections),
)
const packet = fc.record({
  sequence: fc.oneof(fc.nat({ max: 50 }), fc.maxSafeNat(), fc.constantFrom(...extremes)),
  data: text,
  timestamp: fc.oneof(fc.double({ min: 0.001, noNaN: true }), fc.constantFrom(...extremes)),
})
/** A packet with a field that is missing, of another type, or added. */
const oddPacket = fc
  .tuple(
    packet,
    fc.constantFrom('sequence', 'data', 'timestamp', '__proto__', 'toJSON', 'call_id'),
    fc.option(fc.jsonValue(), { nil: undefined }),
  )
  .map(([whole, field, value]) => {
    const entries = Object.entries(whole).filter(([name]) => name !== field)
    const all = value === undefined ? entries : [...entries, [field, value] as const]
    return `{${all.map(([name, of]) => `${JSON.stringify(name)}:${JSON.stringify(of)}`).join()}}`
  })
/** A packet that may name its track and its call, as those of a list do. */
const packetOfList = fc
  .tuple(
    packet,
    fc.record(
      { track: fc.constantFrom('inbound', 'mixed', 'all', null), call_id: fc.constant('a') },
      { requiredKeys: [] },
    ),
  )
  .map(([fields, more]) => JSON.stringify({ ...fields, ...more }))
const list = fc
  .array(fc.oneof({ weight: 3, arbitrary: packetOfList }, oddPacket), { maxLength: 3 })
  .map((items) => `[${items.join()}]`)
/** JSON in which a few characters were changed. */
const damaged = fc
  .tuple(oddPacket, fc.nat(), fc.string({ maxLength: 3 }))
  .map(([json, at, put]) => {
    const place = at % (json.length + 1)
    return json.slice(0, place) + put + json.slice(place + put.length)
  })
const anyBody = fc.oneof(
  { weight: 4, arbitrary: packet.map((value) => Buffer.from(JSON.stringify(value))) },
  { weight: 4, arbitrary: oddPacket.map((json) => Buffer.from(json)) },
  { weight: 2, arbitrary: list.map((json) => Buffer.from(json)) },
  { weight: 3, arbitrary: damaged.map((json) => Buffer.from(json)) },
  { weight: 1, arbitrary: fc.json().map((json) => Buffer.from(json)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
)
const anyId = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'c', 'CALL-1', 'x'.repeat(128)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 140 }).map(inPath) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...injections, 'history', '..', '__proto__').map(inPath),
  },
  { weight: 1, arbitrary: fc.constantFrom('%', '%ff', '%00', '%ED%A0%80', '%C0%AF', '%2F', '%2e') },
)
const anyQuery = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('', '?track=inbound', '?track=outbound') },
  { weight: 1, arbitrary: fc.webQueryParameters().map((query) => `?${query}`) },
  { weight: 1, arbitrary: text.map((value) => `?track=${inPath(value)}`) },
)
const anyType = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('application/json', 'application/json; charset=utf-8') },
  { weight: 1, arbitrary: fc.constantFrom('text/plain', 'application/xml', 'x', '*/*', 'json') },
)
/** Any request to them: mostly near to a right one. */
export const anyPacketRequest: fc.Arbitrary<PacketRequest> = fc.record({
  route: fc.constantFrom('/v1/call/stream/{call_id}', '/ingest/{call_id}'),
  id: anyId,
  query: anyQuery,
  type: anyType,
  body: anyBody,
})

/** A lone surrogate has no place in a URL: the nearest that can be sent. */
function inPath(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replace(/^$/, '%20')
}

const legalId = /^[A-Za-z0-9][A-Za-z0-9._:~@+-]{0,127}$/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The status with which the gateway must answer. */
export function statusOf({ route, id, query, type, body }: PacketRequest): number {
  const stored = route === '/ingest/{call_id}' ? 200 : 202
  const callId = decode(id)
  if (callId === undefined) return 422
  if (!/^application\/json\b/.test(type)) return 415
  const tracks = stored === 202 ? new URLSearchParams(query).getAll('track') : []
  const isTrack = tracks.length === 0 || /^(inbound|outbound|mixed)$/.test(tracks.join())
  const isCall = legalId.test(callId) && callId !== 'history'
  const value = parse(body)
  const isStored =
    stored === 202 && Array.isArray(value)
      ? value.every((one) => isPacket(one) && isOfStream(one, callId))
      : isPacket(value)
  return isCall && isTrack && isStored ? stored : 422
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** The value of a body; undefined when it is no JSON. */
function parse(body: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(body))
  } catch {
    return undefined
  }
}

function fieldsOf(value: unknown): Map<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return new Map(isObject ? Object.entries(value) : [])
}

function isPacket(value: unknown): boolean {
  const own = fieldsOf(value)
  const [sequence, data, timestamp] = ['sequence', 'data', 'timestamp'].map((key) => own.get(key))
  return (
    Number.isSafeInteger(sequence) &&
    Number(sequence) >= 0 &&
    typeof data === 'string' &&
    data.length > 0 &&
    data.isWellFormed() &&
    typeof timestamp === 'number' &&
    Number.isFinite(timestamp) &&
    timestamp > 0
  )
}

/** True when a packet of a list names no track and no call, or right ones. */
function isOfStream(value: unknown, callId: string): boolean {
  const own = fieldsOf(value)
  const isTrack = /^(inbound|outbound|mixed)$/.test(String(own.get('track')))
  return (isTrack || !own.has('track')) && (own.get('call_id') === callId || !own.has('call_id'))
}
