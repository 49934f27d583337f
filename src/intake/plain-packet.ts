// Reads a packet from the bytes of its JSON, where it is written as nearly all senders write it: no text and no value is
// made of it on the way. What is written otherwise, or is wrong, is for the parser and the schema. Pure.
import { callIdPattern } from '../calls/call-id.ts'
import { type Packet, type TrackName, trackNames } from '../ledger/packet.ts'

const callIds = new RegExp(callIdPattern)
const numbers = ['sequence', 'timestamp']
const keys = ['sequence', 'data', 'timestamp', 'track', 'call_id', 'type'].map((name) => ({
  name,
  written: Buffer.from(`"${name}"`),
  isOfNumber: numbers.includes(name),
}))

const point = 0x2e
const zero = 0x30
const nine = 0x39
const quote = 0x22
const openingBrace = 0x7b
const closingBrace = 0x7d
const colon = 0x3a
const comma = 0x2c

/** What stands for itself between quotes: ASCII but control characters, the quote and the backslash. */
const plain = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x7f && byte !== quote && byte !== 0x5c ? 1 : 0,
)

/** Integers of so many digits, and powers of ten up to there, are exact, and so is the quotient of two, rounded once. */
const exactDigits = 15
const powersOfTen = Array.from({ length: exactDigits + 1 }, (_, power) => Number(`1e${power}`))

/**
 * Reads an object with `sequence`, `data` and `timestamp`, and maybe `track`, `call_id` and a `type` of `packet`, in
 * any order, without escapes, exponents and anything but ASCII.
 * @param callId unless it names another
 * @param track unless it names another
 * @param from where the object and the blanks around it begin
 * @param to where they end
 * @returns the packet, its payload where it stands; undefined for what is to be read in the usual way, right or wrong
 */
export function readPlainPacket(
  bytes: Buffer,
  callId: string,
  track: TrackName,
  from = 0,
  to = bytes.length,
): Packet | undefined {
  let at = afterBlanks(bytes, from, to)
  if (bytes[at] !== openingBrace) return undefined
  let sequence = Number.NaN
  let timestamp = Number.NaN
  let dataStart = 0
  let dataEnd = 0
  let namedCall: string | undefined = callId
  let namedTrack: TrackName | undefined = track
  do {
    at = afterBlanks(bytes, at + 1, to)
    const key = keyAt(bytes, at)
    if (key === undefined) return undefined
    at = afterBlanks(bytes, at + key.written.length, to)
    if (bytes[at] !== colon) return undefined
    const start = afterBlanks(bytes, at + 1, to)
    const end = key.isOfNumber ? afterNumber(bytes, start) : afterText(bytes, start)
    if (end === -1) return undefined
    switch (key.name) {
      case 'sequence':
        sequence = numberIn(bytes, start, end)
        break
      case 'timestamp':
        timestamp = numberIn(bytes, start, end)
        break
      case 'data':
        dataStart = start + 1
        dataEnd = end - 1
        break
      case 'track':
        namedTrack = trackNames.find((name) => name === textIn(bytes, start, end))
        break
      case 'call_id':
        namedCall = textIn(bytes, start, end)
        if (!callIds.test(namedCall)) return undefined
        break
      case 'type':
        if (textIn(bytes, start, end) !== 'packet') return undefined
    }
    at = afterBlanks(bytes, end, to)
  } while (bytes[at] === comma)
  // What was read of the bytes beyond is refused here, too.
  if (bytes[at] !== closingBrace || afterBlanks(bytes, at + 1, to) !== to) return undefined
  const isPacket = Number.isSafeInteger(sequence) && timestamp > 0 && dataEnd > dataStart
  if (!isPacket || timestamp === Number.POSITIVE_INFINITY || namedTrack === undefined)
    return undefined
  return {
    callId: namedCall,
    track: namedTrack,
    sequence,
    timestamp,
    encoding: 'text',
    memory: bytes,
    start: dataStart,
    end: dataEnd,
  }
}

function keyAt(bytes: Buffer, at: number): (typeof keys)[number] | undefined {
  for (const key of keys) if (standsAt(bytes, at, key.written)) return key
  return undefined
}

function standsAt(bytes: Buffer, at: number, written: Buffer): boolean {
  for (let place = 0; place < written.length; place += 1)
    if (bytes[at + place] !== written[place]) return false
  return true
}

function afterBlanks(bytes: Buffer, from: number, to: number): number {
  let at = from
  while (at < to && isBlank(bytes[at])) at += 1
  return at
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** The end of the text that stands there, with its quotes; -1 when there is no plain one. */
function afterText(bytes: Buffer, from: number): number {
  if (bytes[from] !== quote) return -1
  let at = from + 1
  // Audio is hundreds of bytes: one question for eight of them takes half the time of one for each.
  while (areEightPlain(bytes, at)) at += 8
  while (at < bytes.length && isPlain(bytes, at) === 1) at += 1
  return bytes[at] === quote ? at + 1 : -1
}

function areEightPlain(bytes: Buffer, at: number): boolean {
  const four =
    isPlain(bytes, at) & isPlain(bytes, at + 1) & isPlain(bytes, at + 2) & isPlain(bytes, at + 3)
  const others =
    isPlain(bytes, at + 4) &
    isPlain(bytes, at + 5) &
    isPlain(bytes, at + 6) &
    isPlain(bytes, at + 7)
  return (four & others) === 1
}

function isPlain(bytes: Buffer, at: number): number {
  return plain[bytes[at] ?? 0] ?? 0
}

/** The end of the number that stands there, digits and maybe a fraction; -1 when there is none. */
function afterNumber(bytes: Buffer, from: number): number {
  const whole = afterDigits(bytes, from)
  if (whole === from || (bytes[from] === zero && whole > from + 1)) return -1
  if (bytes[whole] !== point) return whole
  const end = afterDigits(bytes, whole + 1)
  return end === whole + 1 ? -1 : end
}

function afterDigits(bytes: Buffer, from: number): number {
  let at = from
  while (isDigit(bytes[at])) at += 1
  return at
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= nine
}

/** The number that is nearest to what is written, as everywhere in JavaScript. */
function numberIn(bytes: Buffer, start: number, end: number): number {
  let value = 0
  let digits = 0
  let fraction = 0
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === point) {
      fraction = end - at - 1
      continue
    }
    value = value * 10 + (byte - zero)
    digits += 1
  }
  const power = powersOfTen[fraction]
  if (digits > exactDigits || power === undefined)
    return Number(bytes.toString('latin1', start, end))
  return value / power
}

function textIn(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start + 1, end - 1)
}
