// Messages as Twilio and its kin write them, from their documentation.

/** One packet of a track. */
export type Chunk = {
  readonly track: 'inbound' | 'outbound'
  readonly chunk: number
  readonly payload: Uint8Array
}

const base64 = (payload: Uint8Array) => Buffer.from(payload).toString('base64')

/** Twilio's messages. */
export const twilioMessages = {
  start: (callSid: string, change: object = {}, streamSid = 'MZ1') => ({
    event: 'start',
    sequenceNumber: '1',
    start: {
      accountSid: 'AC1',
      streamSid,
      callSid,
      tracks: ['inbound', 'outbound'],
      customParameters: {},
      mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
      ...change,
    },
    streamSid,
  }),
  media: ({ track, chunk, payload }: Chunk) => ({
    event: 'media',
    sequenceNumber: String(chunk + 1),
    media: {
      track,
      chunk: String(chunk),
      timestamp: String(chunk * 20),
      payload: base64(payload),
    },
    streamSid: 'MZ1',
  }),
  dtmf: (digit: string) => ({
    event: 'dtmf',
    streamSid: 'MZ1',
    sequenceNumber: '5',
    dtmf: { track: 'inbound_track', digit },
  }),
  stop: (callSid: string) => ({
    event: 'stop',
    sequenceNumber: '9',
    stop: { accountSid: 'AC1', callSid },
    streamSid: 'MZ1',
  }),
}

/** Telnyx's messages. */
export const telnyxMessages = {
  start: (callId: string, change: object = {}) => ({
    event: 'start',
    sequence_number: '1',
    start: {
      user_id: '3E6F995F-85F7-4705-9741-53B116D28237',
      call_control_id: 'v2:T02llQxIyaRkhfRKxgAP8nY511EhFLizdvdUKJiSw8d6A9BborherQ',
      call_session_id: callId,
      from: '+13122010094',
      to: '+13122123456',
      tags: ['TAG1', 'TAG2'],
      client_state: 'aGF2ZSBhIG5pY2UgZGF5ID1d',
      media_format: { encoding: 'PCMU', sample_rate: 8000, channels: 1 },
      ...change,
    },
    stream_id: '32DE0DEA-53CB-4B21-89A4-9E1819C043BC',
  }),
  media: ({ track, chunk, payload }: Chunk) => ({
    event: 'media',
    sequence_number: String(chunk + 1),
    media: {
      track,
      chunk: String(chunk),
      timestamp: String(chunk * 20),
      payload: base64(payload),
    },
    stream_id: '32DE0DEA-53CB-4B21-89A4-9E1819C043BC',
  }),
  stop: () => ({
    event: 'stop',
    sequence_number: '5',
    stop: { user_id: '3E6F995F-85F7-4705-9741-53B116D28237', call_control_id: 'v2:T02' },
    stream_id: '32DE0DEA-53CB-4B21-89A4-9E1819C043BC',
  }),
}

/** Plivo's messages. */
export const plivoMessages = {
  start: (callId: string, change: object = {}, extraHeaders: unknown = '{}') => ({
    event: 'start',
    sequenceNumber: 1,
    start: {
      callId,
      streamId: '87654321-4321-4321-4321-cba987654321',
      accountId: 'MAXXXXXXXXXXXXXXXXXX',
      tracks: ['inbound'],
      mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000 },
      ...change,
    },
    extra_headers: extraHeaders,
  }),
  media: ({ track, chunk, payload }: Chunk) => ({
    event: 'media',
    sequenceNumber: chunk + 1,
    streamId: '87654321-4321-4321-4321-cba987654321',
    media: {
      track,
      timestamp: String(1_705_312_200_000 + chunk * 20),
      chunk,
      payload: base64(payload),
    },
    extra_headers: '{}',
  }),
}

/** Cuts audio into packets of 20 ms of G.711, numbered from 1. */
export function chunksOf(track: Chunk['track'], audio: Uint8Array): Chunk[] {
  return Array.from({ length: Math.ceil(audio.length / 160) }, (_, index) => ({
    track,
    chunk: index + 1,
    payload: audio.subarray(index * 160, (index + 1) * 160),
  }))
}
