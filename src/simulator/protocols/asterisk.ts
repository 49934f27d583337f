// Asterisk chan_websocket: one socket per speaker, as two snooping channels dial them; bytes are audio, text is
// control. As strict as Asterisk with commands: their names, their case, their length.
import { randomUUID } from 'node:crypto'
import { mediaUrl } from '../addresses.ts'
import { type Connection, openWebSocket } from '../connection.ts'
import { playOn, type Step, sendingsOf } from '../playing.ts'
import type { Message, Protocol, ProtocolCall, SentTrack } from '../protocol.ts'
import { packetBytes } from '../recordings.ts'
import { linearAudio, linearPacketBytes } from '../voices.ts'

/** How the channels are dialled. */
export type AsteriskOptions = {
  /** `f(json)` or the default. */
  readonly control?: 'plain' | 'json'
  /** `c(…)`. */
  readonly codec?: keyof typeof sampleRates
  /** So many packets leave before MEDIA_START, as in one call of ten. */
  readonly packetsBeforeStart?: number
}

/** One socket of a call. */
type Channel = {
  readonly id: string
  readonly track: 'inbound' | 'outbound'
  readonly speaker: 'customer' | 'agent'
  /** Its place among the lines. */
  readonly line: number
}

const sampleRates = { ulaw: 8000, slin: 8000, slin16: 16_000 } as const
const longestCommandBytes = 128
const commands: readonly string[] = [
  'ANSWER',
  'HANGUP',
  'START_MEDIA_BUFFERING',
  'STOP_MEDIA_BUFFERING',
  'FLUSH_MEDIA',
  'PAUSE_MEDIA',
  'CONTINUE_MEDIA',
  'MARK_MEDIA',
  'GET_STATUS',
  'REPORT_QUEUE_DRAINED',
]
const jsonOnly = 'SET_MEDIA_DIRECTION'

/** Builds the client. */
export function asteriskProtocol(options: AsteriskOptions = {}): Protocol {
  return {
    name: 'asterisk',
    lines: [['inbound'], ['outbound']],
    lossAccount: 'clock',
    callIds: 'any',
    play: async (call) => {
      const seconds = Math.floor(call.clock.now())
      const channels: readonly Channel[] = [
        { id: `${seconds}.1`, track: 'inbound', speaker: 'customer', line: 0 },
        { id: `${seconds}.2`, track: 'outbound', speaker: 'agent', line: 1 },
      ]
      // What ends one channel ends the call.
      const hangup = new AbortController()
      const signal = AbortSignal.any([call.signal, hangup.signal])
      const playing = channels.map(async (channel) => {
        try {
          return await playChannel({ ...call, signal }, channel, options)
        } catch (error) {
          hangup.abort(error)
          throw error
        }
      })
      await Promise.allSettled(playing)
      return (await Promise.all(playing)).flat()
    },
  }
}

async function playChannel(
  call: ProtocolCall,
  channel: Channel,
  { control = 'plain', codec = 'ulaw', packetsBeforeStart = 0 }: AsteriskOptions,
): Promise<readonly SentTrack[]> {
  const { track, speaker, line } = channel
  const variables = { ...call.parameters, callId: call.callId, track }
  const write = createWriter(channel.id, control)
  const { audio, size } = encode(call, speaker, codec)
  const media = sendingsOf(call, line, false).map(
    ({ sequence, at }): Step => ({
      at,
      message: audio.subarray((sequence - 1) * size, sequence * size),
      packets: [{ track, sequence }],
    }),
  )
  const mediaStart: Step = {
    at: media[packetsBeforeStart - 1]?.at ?? 0,
    message: write.mediaStart(codec, size, variables),
    packets: [],
  }
  const keys = (line === 0 ? (call.dtmf ?? []) : []).map(({ at, digit }) => ({
    at,
    message: write.dtmf(digit),
    packets: [],
  }))
  const url = `${mediaUrl(call, '/media/asterisk')}?${new URLSearchParams(variables)}`
  const connection: Connection = await openWebSocket(url, { subprotocol: 'media' }, (message) => {
    call.onMessage?.(message)
    if (readCommand(message, control) === 'GET_STATUS') connection.send(write.status())
  })
  const steps = [...media.slice(0, packetsBeforeStart), mediaStart]
  steps.push(...media.slice(packetsBeforeStart), ...keys)
  const ownCall = line === 0 ? call : { ...call, extra: [] }
  return await playOn(connection, ownCall, steps)
}

function encode({ voices }: ProtocolCall, speaker: 'customer' | 'agent', codec: string) {
  if (codec === 'ulaw') return { audio: voices[speaker], size: packetBytes }
  const sampleRate = codec === 'slin16' ? sampleRates.slin16 : sampleRates.slin
  const format = { channels: speaker, sampleRate } as const
  return { audio: linearAudio(voices, format), size: linearPacketBytes(format) }
}

/** Writes the events of a channel; plain text and JSON have the same fields, but for the variables. */
function createWriter(channelId: string, control: 'plain' | 'json') {
  const write = (event: string, fields: object) =>
    control === 'json'
      ? JSON.stringify({ event, ...fields })
      : [event, ...Object.entries(fields).map(([name, value]) => `${name}:${value}`)].join(' ')
  return {
    mediaStart: (codec: string, size: number, variables: object) =>
      write('MEDIA_START', {
        connection_id: randomUUID(),
        channel: 'WebSocket/gateway/0x7f1c5c01a2b0',
        channel_id: channelId,
        format: codec,
        optimal_frame_size: size,
        ptime: 20,
        ...(control === 'json' ? { channel_variables: variables } : {}),
      }),
    dtmf: (digit: string) => write('DTMF_END', { digit, channel_id: channelId }),
    status: () =>
      write('STATUS', {
        channel_id: channelId,
        queue_length: 0,
        xon_level: 800,
        xoff_level: 900,
        queue_full: false,
        bulk_media: false,
        media_paused: false,
      }),
  }
}

/** What Asterisk is told to do; audio to be played is nothing. */
function readCommand(message: Message, control: 'plain' | 'json'): string | undefined {
  if (typeof message !== 'string') return undefined
  if (Buffer.byteLength(message) > longestCommandBytes)
    throw new Error(`received a command of more than ${longestCommandBytes} bytes`)
  const command: unknown = control === 'json' ? JSON.parse(message).command : message.split(' ')[0]
  const exists = control === 'json' ? [...commands, jsonOnly] : commands
  if (typeof command !== 'string' || !exists.includes(command))
    throw new Error(`received the command ${String(command)}, which does not exist`)
  if (command === 'HANGUP') throw new Error('the gateway hung up')
  return command
}
