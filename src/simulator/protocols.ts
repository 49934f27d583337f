// The wire protocols that the simulator speaks, by name.
import type { Protocol } from './protocol.ts'
import { asteriskProtocol } from './protocols/asterisk.ts'
import { audioSocketProtocol } from './protocols/audiosocket.ts'
import { fonosterProtocol } from './protocols/fonoster.ts'
import { freeSwitchProtocol } from './protocols/freeswitch.ts'
import { genesysProtocol } from './protocols/genesys.ts'
import { jambonzProtocol } from './protocols/jambonz.ts'
import { plivoProtocol } from './protocols/plivo.ts'
import { streamProtocol } from './protocols/stream.ts'
import { telnyxProtocol } from './protocols/telnyx.ts'
import { twilioProtocol } from './protocols/twilio.ts'
import { vonageProtocol } from './protocols/vonage.ts'

/** Every protocol but the HTTP API, as each is found in the field. */
export const protocols: readonly Protocol[] = [
  streamProtocol,
  audioSocketProtocol(),
  asteriskProtocol(),
  twilioProtocol,
  telnyxProtocol,
  plivoProtocol,
  fonosterProtocol,
  freeSwitchProtocol(),
  jambonzProtocol(),
  genesysProtocol(),
  vonageProtocol(),
]
