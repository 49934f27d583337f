// Reads the text messages of the protocols: JSON of a stranger becomes a typed value, or a violation that names the
// field, what was expected and what came.
import type { Static, TSchema } from 'typebox'
import { MalformedJson, parseJson } from '../../border/json.ts'
import { compileCheck } from '../../border/validation.ts'
import { callIdPattern } from '../../calls/call-id.ts'
import { type TrackName, trackNames } from '../../ledger/packet.ts'
import { ProtocolViolation } from './protocol.ts'

/**
 * Parses a message.
 * @throws ProtocolViolation when it is not JSON
 */
export function parseMessage(text: string): unknown {
  try {
    return parseJson(Buffer.from(text))
  } catch (error) {
    if (error instanceof MalformedJson)
      throw new ProtocolViolation(`A message should be JSON, but is not at ${error.offset}`)
    throw error
  }
}

/**
 * Builds what reads messages of one shape.
 * @returns the message itself, typed; it throws a ProtocolViolation for one of another shape
 */
export function messageReader<const Schema extends TSchema>(
  schema: Schema,
): (message: unknown) => Static<Schema> {
  const check = compileCheck(schema)
  return (message) => {
    const problem = check(message)?.[0]
    if (problem === undefined) return message as Static<Schema>
    const field = problem.loc.slice(1).join('.') || 'message'
    const came = JSON.stringify(problem.input) ?? 'nothing'
    throw new ProtocolViolation(`${field}: ${problem.msg}, but is ${came.slice(0, 60)}`)
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
  const track = trackNames.find((name) => name === value)
  if (track !== undefined) return track
  throw new ProtocolViolation(
    `${field} should be one of ${trackNames.join(', ')}, but is ${shown(value)}`,
  )
}

/**
 * The bytes of a base64 text.
 * @throws ProtocolViolation when it holds none
 */
export function readBase64(text: string, field: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length > 0) return bytes
  throw new ProtocolViolation(`${field} should be audio in base64, but is ${shown(text)}`)
}

function shown(value: string): string {
  return JSON.stringify(value.slice(0, 60))
}
