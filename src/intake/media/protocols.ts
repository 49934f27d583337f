// The media protocols over WebSocket: one more is a file in `../protocols/` and a line here.
import { asterisk } from '../protocols/asterisk.ts'
import { fonoster } from '../protocols/fonoster.ts'
import { freeswitch } from '../protocols/freeswitch.ts'
import { genesys } from '../protocols/genesys.ts'
import { jambonz } from '../protocols/jambonz.ts'
import { plivo } from '../protocols/plivo.ts'
import { telnyx } from '../protocols/telnyx.ts'
import { twilio } from '../protocols/twilio.ts'
import { vonage } from '../protocols/vonage.ts'
import type { WebSocketProtocol } from './protocol.ts'

/** All of them; each listens at `/media/<name>`. */
export const webSocketProtocols: readonly WebSocketProtocol[] = [
  asterisk,
  twilio,
  telnyx,
  plivo,
  fonoster,
  freeswitch,
  jambonz,
  genesys,
  vonage,
]
