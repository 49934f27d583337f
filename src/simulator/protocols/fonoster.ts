// Fonoster with the protocol `twilio`: Twilio's messages, only the caller's voice, signed in its own manner.
import { configuredUrl } from '../addresses.ts'
import type { Protocol } from '../protocol.ts'
import { fonosterHeaders } from '../signatures.ts'
import { playNumbered } from './numbered-media.ts'
import { twilioMessages } from './twilio.ts'

const path = '/media/fonoster'
const app = {
  appRef: 'b4b1f6a0-6f0e-4e37-9d3c-0a2a5a8f7c11',
  workspaceRef: 'WOsimulator00000000000000000000000',
}

/** The client. */
export const fonosterProtocol: Protocol = {
  name: 'fonoster',
  lines: [['inbound']],
  lossAccount: 'numbers',
  callIds: 'any',
  play: async (call) => {
    const secret = call.secrets?.fonosterSecret
    const seconds = Math.floor(call.clock.now())
    const headers =
      secret === undefined ? {} : fonosterHeaders(secret, configuredUrl(call, path), seconds, app)
    return await playNumbered(call, { path, headers, ...twilioMessages(call, ['inbound']) })
  },
}
