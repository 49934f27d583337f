// Where a PBX connects, and what it is called there. Pure.
import { createHash } from 'node:crypto'
import type { ProtocolCall } from './protocol.ts'

/** The WebSocket URL of a protocol. */
export function mediaUrl({ url }: ProtocolCall, path: string): string {
  return `${url.replace(/^http/, 'ws')}${path}`
}

/** The URL as it is configured at the PBX, which signs it: the public one, if there is one. */
export function configuredUrl(call: ProtocolCall, path: string): string {
  const { publicUrl = call.url } = call.secrets ?? {}
  return `${publicUrl.replace(/\/+$/, '').replace(/^http/, 'ws')}${path}`
}

/** An id as Twilio and its kin have them: two letters and 32 hexadecimal digits, the same for the same text. */
export function sidOf(letters: string, text: string): string {
  return letters + createHash('sha256').update(text).digest('hex').slice(0, 32)
}

/** A UUID, the same for the same text. */
export function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`]
  return [...parts, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-')
}
