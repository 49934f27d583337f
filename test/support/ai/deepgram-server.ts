// A server that speaks Deepgram's API of pre-recorded transcription.
import { type AiServer, json, type Reply, startAiServer } from './ai-server.ts'

/** An utterance as Deepgram writes it. */
export type HeardUtterance = {
  readonly start: number
  readonly end: number
  readonly confidence: number
  readonly transcript: string
}

/** The request id of every answer. */
export const requestId = 'a1b2c3d4-0000-4000-8000-000000000001'

/** The three shapes of Deepgram's errors. */
export const deepgramErrors = {
  text: (status: number, message: string): Reply => ({
    status,
    body: message,
    headers: { 'content-type': 'text/plain', 'dg-request-id': requestId },
  }),
  code: (status: number, message: string): Reply =>
    json(status, { err_code: 'ERROR', err_msg: message, request_id: requestId }),
  category: (status: number, message: string): Reply =>
    json(status, { category: 'ERROR', message, details: 'See the docs', request_id: requestId }),
}

/** Starts it. */
export function startDeepgramServer(
  apiKey: string,
  utterances: readonly HeardUtterance[] = [
    { start: 0.2, end: 1.4, confidence: 0.98, transcript: 'Hello, how can I help?' },
  ],
): Promise<AiServer> {
  return startAiServer('/v1', ({ path, headers, query, body }) => {
    if (path !== '/v1/listen') return deepgramErrors.text(404, 'Not Found')
    if (headers.authorization !== `Token ${apiKey}`)
      return deepgramErrors.code(401, 'Invalid credentials.')
    if (headers['content-type'] !== 'audio/wav' || body.subarray(0, 4).toString() !== 'RIFF')
      return deepgramErrors.code(
        400,
        'Bad Request: failed to process audio: corrupt or unsupported data',
      )
    const transcript = utterances.map((utterance) => utterance.transcript).join(' ')
    const model = query.get('model')
    return json(200, {
      metadata: {
        request_id: requestId,
        created: '2026-01-01T00:00:00.000Z',
        duration: 2,
        channels: 1,
        models: ['1'],
        model_info: { 1: { name: `general-${model}`, version: '2026-01-01.0', arch: model } },
      },
      results: {
        channels: [{ alternatives: [{ transcript, confidence: 0.98, words: [] }] }],
        ...(query.get('utterances') === 'true' && {
          utterances: utterances.map((utterance, id) => ({
            id,
            channel: 0,
            words: [],
            ...utterance,
          })),
        }),
      },
    })
  })
}
