// AsyncAPI 3: what goes over the feed's WebSockets, its event stream and the packet streams. Pure.
import Type from 'typebox'
import { callIdPattern } from '../calls/call-id.ts'
import { Floor } from '../calls/floor.ts'
import * as messages from './message-schemas.ts'

type Json = Readonly<Record<string, unknown>>

const refer = (path: string): Json => ({ $ref: `#/${path}` })

/** A channel; its messages are those of the components, by name. */
function channel(address: string, title: string, names: readonly string[], more: Json = {}): Json {
  return {
    address,
    title,
    messages: Object.fromEntries(names.map((name) => [name, refer(`components/messages/${name}`)])),
    ...more,
  }
}

function operation(
  action: 'send' | 'receive',
  of: string,
  names: readonly string[],
  summary: string,
) {
  return {
    action,
    channel: refer(`channels/${of}`),
    summary,
    messages: names.map((name) => refer(`channels/${of}/messages/${name}`)),
  }
}

const events = ['callUpdate', 'aiResult', 'analysisAttempt', 'callEvent']
const heardOnSockets = ['connected', ...events, 'resync', 'pong']
const heardOnStreams = ['snapshot', ...events, 'tick', 'conflated', 'resync']
const callId = { call_id: { description: `The id of the call, as ${callIdPattern}` } }
const overWebSocket = (query: Json): Json => ({
  bindings: { ws: { method: 'GET', query: { type: 'object', properties: query } } },
})
const packetQuery = { track: { type: 'string', enum: ['inbound', 'outbound', 'mixed'] } }

const components: Readonly<Record<string, readonly [summary: string, payload: unknown]>> = {
  connected: ['The greeting', messages.Connected],
  callUpdate: ['A call was created or changed its state', messages.CallUpdate],
  aiResult: ['The result of the analysis was stored', messages.AiResult],
  analysisAttempt: ['An attempt ended without a result', messages.AnalysisAttempt],
  callEvent: ['Something happened on the media of a call, or it was erased', messages.CallEvent],
  resync: ['The position is of no use here: what the client knows may be wrong', messages.Resync],
  pong: ['The answer to anything a client says', messages.Pong],
  anything: ['Anything at all', Type.String()],
  snapshot: ['The floor as of a position, as GET /v1/floor', Floor],
  tick: ['Every second: the stream lives', messages.Tick],
  conflated: ['Of so many calls only the newest event follows', messages.Conflated],
  packet: ['A packet of audio', messages.Packet],
  open: ['Binary packets with this channel belong to this call', messages.Open],
  complete: ['A call is over', messages.Complete],
  ack: ['Everything up to a packet is settled', messages.Ack],
  completed: ['A call is complete', messages.Completed],
  error: ['Something was refused', messages.Refused],
}

/** The AsyncAPI document of a gateway. */
export function describeChannels(version: string): Json {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'AI PBX Gateway',
      version,
      description: 'What is neither request nor reply: the feed, and packets in streams.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    channels: {
      feed: channel('/ws', 'The feed over WebSocket', [...heardOnSockets, 'anything'], {
        ...overWebSocket(messages.feedQuery),
      }),
      namedFeed: channel(
        '/ws/{client_id}',
        'The same, for a client that gives its name',
        [...heardOnSockets, 'anything'],
        {
          parameters: { client_id: { description: 'The name, 1 to 128 characters' } },
          ...overWebSocket(messages.feedQuery),
        },
      ),
      events: channel('/v1/events', 'The feed as Server-Sent Events', heardOnStreams, {
        description:
          'text/event-stream. The name of an event is its `event`, its position its `id`; ?after= or Last-Event-ID ' +
          'resume, ?call=, ?status= and ?type= filter.',
        bindings: { http: {} },
      }),
      packets: channel(
        '/v1/call/stream/{call_id}',
        'Packets over WebSocket',
        ['packet', 'open', 'complete', 'ack', 'completed', 'error'],
        {
          description: 'Packets may be binary, too: docs/streams.md has their layout.',
          parameters: callId,
          ...overWebSocket(packetQuery),
        },
      ),
    },
    operations: {
      hearFeed: operation('send', 'feed', heardOnSockets, 'Every event of every call, live'),
      hearNamedFeed: operation('send', 'namedFeed', heardOnSockets, 'The same, with a name'),
      sayAnything: operation('receive', 'feed', ['anything'], 'Ask whether the gateway lives'),
      hearEvents: operation(
        'send',
        'events',
        heardOnStreams,
        'A snapshot, then every event after it',
      ),
      takePackets: operation(
        'receive',
        'packets',
        ['packet', 'open', 'complete'],
        'Packets of one or many calls',
      ),
      acknowledgePackets: operation(
        'send',
        'packets',
        ['ack', 'completed', 'error'],
        'What became of them, after the commit',
      ),
    },
    components: {
      messages: Object.fromEntries(
        Object.entries(components).map(([name, [summary, payload]]) => [
          name,
          { name, summary, payload },
        ]),
      ),
    },
  }
}
