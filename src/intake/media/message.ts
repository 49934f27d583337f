// Reads the text messages of the protocols: JSON of a stranger becomes a typed value, or a violation that names the
// field, what was expected and what came.
import type { Static, TSchema } from 'typebox'
import { MalformedJson, parseJson } from '../../border/json.ts'
import { type Check, compileCheck } from '../../border/validation.ts'
import { callIdPattern } from '../../calls/call-id.ts'
import { type TrackName, trackNames } from '../../ledger/packet.ts'
import { ProtocolViolation } from './protocol.ts'

/**
 * Parses a message. Its texts can be stored: where there was a NUL or half a character, there is `�`.
 * @param what names it in the reason
 * @throws ProtocolViolation when it is not JSON
 */
export function parseMessage(text: string, what = 'A message'): unknown {
  try {
    const message = parseJson(Buffer.from(text))
    return text.includes('\\u') ? storable(message) : message
  } catch (error) {
    if (error instanceof MalformedJson)
      throw new ProtocolViolation(`${what} should be JSON, but is not at ${error.offset}`)
    throw error
  }
}

/** PostgreSQL keeps neither NUL nor lone surrogates; in JSON they can only come escaped. */
function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value)
  if (Array.isArray(value)) return value.map(storable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [storableText(name), storable(inner)]),
  )
}

function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd')
}

/**
 * Builds what reads messages of one shape.
 * @returns the message itself, typed; it throws a ProtocolViolation for one of another shape
 */
export function messageReader<const Schema extends TSchema>(
  schema: Schema,
): (message: unknown) => Static<Schema> {
  // Most gateways speak one protocol or two: the others need not be compiled at every start.
  let check: Check | undefined
  return (message) => {
    check ??= compileCheck(schema)
    const problem = check(message)?.[0]
    if (problem === undefined) return message as Static<Schema>
    const field = problem.loc.slice(1).join('.') || 'message'
    if (problem.type === 'missing') throw new ProtocolViolation(`${field}: ${problem.msg}`)
    throw new ProtocolViolation(`${field}: ${problem.msg}, but is ${shown(problem.input)}`)
  }
}

const isCallId = new RegExp(callIdPattern)

/**
 * A call id that a PBX gave.
 * @param field where it stands, for the message
 * @throws ProtocolViolation when it cannot be the id of a call
 */
export function readCallId(value: string, field: string): string {
  if (isCallId.test(value)) return value
  throw new ProtocolViolation(`${field} should match ${callIdPattern}, but is ${shown(value)}`)
}

/**
 * The track that a PBX named, `undefined` when it named none.
 * @param field where it stands, for the message
 * @throws ProtocolViolation when there is no such track
 */
export function readTrack(value: string | null | undefined, field: string): TrackName | undefined {
  if (value === null || value === undefined) return undefined
  return readChoice(value, trackNames, field)
}

/**
 * One of some words.
 * @param field where it stands, for the message
 * @throws ProtocolViolation for any other
 */
export function readChoice<const Choice extends string>(
  value: string,
  choices: readonly Choice[],
  field: string,
): Choice {
  const choice = choices.find((one) => one === value)
  if (choice !== undefined) return choice
  throw new ProtocolViolation(
    `${field} should be one of ${choices.join(', ')}, but is ${shown(value)}`,
  )
}

/**
 * A whole number, written as a number or as digits in a text.
 * @param field where it stands, for the message
 * @throws ProtocolViolation for anything else, and below `least` or above `most`
 */
export function readWhole(value: unknown, least: number, most: number, field: string): number {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value
  const isWhole = typeof number === 'number' && Number.isInteger(number)
  if (isWhole && number >= least && number <= most) return number
  throw new ProtocolViolation(
    `${field} should be a whole number from ${least} to ${most}, but is ${shown(value)}`,
  )
}

/**
 * The bytes of a base64 text.
 * @throws ProtocolViolation when it holds none, or anything that is not base64
 */
export function readBase64(text: string, field: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  // What is not base64 is passed over in decoding: then there are too few bytes.
  const characters = text.endsWith('=') ? text.indexOf('=') : text.length
  const isWhole = characters % 4 !== 1 && text.length - characters <= 2
  if (isWhole && bytes.length > 0 && bytes.length === Math.floor((characters * 3) / 4)) return bytes
  throw new ProtocolViolation(`${field} should be audio in base64, but is ${shown(text)}`)
}

const longestShown = 60

/** What came, small enough for the reason of a close frame. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return JSON.stringify(value.slice(0, longestShown).toWellFormed())
  return typeof value === 'object' && value !== null
    ? 'an object'
    : String(value).slice(0, longestShown)
}
