// An AudioHook client that talks to the protocol without a connection.
import type { IncomingHttpHeaders } from 'node:http'
import { genesys } from '../../src/intake/protocols/genesys.ts'
import { audioHookClient, openParameters } from './audiohook-client.ts'
import { connectFake } from './fake-peer.ts'

/** A client before `open`. */
export function connectAudioHook(headers: IncomingHttpHeaders = {}) {
  const client = audioHookClient()
  const connection = connectFake(genesys, { headers })
  return {
    ...connection,
    client,
    says: (...args: Parameters<typeof client.message>) =>
      connection.receiver.text(client.message(...args)),
    hears: (bytes: number) => connection.receiver.binary(Buffer.alloc(bytes, 0xff)),
    /** What was said since the session was opened, but for the audio. */
    events: () => connection.said.slice(1).filter(([word]) => word !== 'audio'),
  }
}

/** A client after `opened`. */
export function openAudioHook(more: Readonly<Record<string, unknown>> = {}) {
  const connected = connectAudioHook()
  connected.says('open', openParameters(more))
  return connected
}

/** The parameters of a message. */
export function parametersOf(message?: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { ...(message?.parameters as object) }
}
