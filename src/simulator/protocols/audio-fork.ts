// What FreeSWITCH's mod_audio_fork and jambonz have in common: a text of metadata first, then linear PCM in
// stereo, in messages that hold whatever has piled up; an empty message asks the gateway to finish.
import { mediaUrl } from '../addresses.ts'
import { openWebSocket, type WebSocketOptions } from '../connection.ts'
import { playOn, type Step, sendingsOf } from '../playing.ts'
import type { ProtocolCall, SentTrack, TrackName } from '../protocol.ts'
import { linearAudio, linearPacketBytes } from '../voices.ts'

/** How a fork is started. */
export type AudioForkOptions = {
  /** Default 8000. */
  readonly sampleRate?: 8000 | 16_000 | 24_000 | 32_000 | 48_000
  /** Packets of successive messages, over and over. */
  readonly packetsPerMessage?: readonly number[]
}

/** How a switch uses the wire. */
export type AudioForkWire = Required<AudioForkOptions> & {
  readonly path: string
  readonly connection: WebSocketOptions
  /** None: nothing comes before the audio. */
  readonly metadata: string
  readonly dtmf: (digit: string) => object
}

/** Both channels of a fork: what is lost is lost of both. */
export const forkTracks: readonly TrackName[] = ['inbound', 'outbound']

const finishTimeoutMs = 2000

/** Plays a call over such a wire. */
export async function playAudioFork(
  call: ProtocolCall,
  wire: AudioForkWire,
): Promise<readonly SentTrack[]> {
  const keys = (call.dtmf ?? []).map(({ at, digit }) => ({
    at,
    message: JSON.stringify(wire.dtmf(digit)),
    packets: [],
  }))
  const url = mediaUrl(call, wire.path)
  const connection = await openWebSocket(url, wire.connection, (message) => {
    call.onMessage?.(message)
    if (typeof message === 'string') JSON.parse(message)
  })
  if (wire.metadata !== '') connection.send(wire.metadata)
  return await playOn(connection, call, [...pileUp(call, wire), ...keys], async () => {
    connection.send(new Uint8Array())
    await Promise.race([connection.ended, timeout(finishTimeoutMs)])
  })
}

/** A message leaves when its last packet has come. */
function pileUp(call: ProtocolCall, { sampleRate, packetsPerMessage }: AudioForkWire): Step[] {
  const format = { channels: 'stereo', sampleRate } as const
  const audio = linearAudio(call.voices, format)
  const size = linearPacketBytes(format)
  const sendings = sendingsOf(call, 0, false)
  const steps: Step[] = []
  let taken = 0
  while (taken < sendings.length) {
    const count = packetsPerMessage[steps.length % packetsPerMessage.length] ?? 1
    const pile = sendings.slice(taken, taken + count)
    taken += count
    steps.push({
      at: pile.at(-1)?.at ?? 0,
      message: Buffer.concat(
        pile.map(({ sequence }) => audio.subarray((sequence - 1) * size, sequence * size)),
      ),
      packets: pile.flatMap(({ sequence }) => forkTracks.map((track) => ({ track, sequence }))),
    })
  }
  return steps
}

function timeout(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref())
}
