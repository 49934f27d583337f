// A floor on which there has been no call yet: how to send the first one.
import { useState } from 'preact/hooks'
import { ApiError, send } from '../net/api.ts'
import { Command } from '../parts/copy.tsx'

const demoCalls = 6

/** How to send the first call. */
export function Empty() {
  const { origin } = location
  const post = `curl -X POST ${origin}/v1/call/stream/CALL-1 \\\n  -H 'content-type: application/json'`
  return (
    <section class="empty" aria-label="No calls yet">
      <h2>No calls yet</h2>
      <p>The gateway is ready. This page follows by itself as soon as there is a call.</p>
      <h3>Hear what it does</h3>
      <Demo />
      <h3>Play more calls, from the folder of the gateway</h3>
      <Command name="Play calls" text={`npm run simulate -- --url ${origin}`} />
      <h3>Send a packet yourself</h3>
      <Command
        name="Send a packet"
        text={`${post} \\\n  -d '{"sequence":1,"data":"audio_chunk_1","timestamp":${Math.floor(Date.now() / 1_000)}.02}'`}
      />
      <h3>Connect a PBX</h3>
      <p>
        Asterisk, FreeSWITCH, Twilio, Telnyx, Genesys and others send their audio here: see
        docs/pbx, and the <a href="/docs">API</a>.
      </p>
    </section>
  )
}

/** Plays a few calls of real speech to this gateway. */
export function Demo() {
  const [said, say] = useState('')
  async function play(): Promise<void> {
    say('The first call is about to ring…')
    try {
      await send('POST', '/v1/demo/calls', { count: demoCalls, protocol: 'twilio' })
    } catch (error) {
      if (error instanceof ApiError) say(error.message)
    }
  }
  return (
    <p>
      <button type="button" class="primary" onClick={() => void play()}>
        Play a demo call
      </button>{' '}
      <span role="status">{said || `${demoCalls} calls of real speech, with a little loss`}</span>
    </p>
  )
}
