// The media protocols over WebSocket: one more is a file in `../protocols/` and a line here.
import { twilio } from '../protocols/twilio.ts'
import type { WebSocketProtocol } from './protocol.ts'

/** All of them; each listens at `/media/<name>`. */
export const webSocketProtocols: readonly WebSocketProtocol[] = [twilio]
