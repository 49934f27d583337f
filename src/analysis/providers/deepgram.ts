// Transcription by Deepgram: pre-recorded audio, `POST /listen`.
import Type, { type Static } from 'typebox'
import { ProviderError } from '../provider.ts'
import type { Transcriber, Utterance } from '../service.ts'
import { cleanText } from './answer-text.ts'
import { withDeadline } from './deadline.ts'
import { type HttpService, post, type ServiceLimits, usualLimits } from './http-service.ts'
import { asUtterances } from './utterances.ts'

/** What is asked of Deepgram. */
export type DeepgramOptions = {
  /** Default `deepgram`. */
  readonly name?: string
  readonly apiKey: string
  /** Default `https://api.deepgram.com/v1`. */
  readonly baseUrl?: string
  /** Default `nova-3`. */
  readonly model?: string
  /** Such as `en`; without it Deepgram finds out. */
  readonly language?: string
  readonly limits?: Partial<ServiceLimits>
}

/** Deepgram takes 2 GB; a piece is held in memory, and a failed one is sent again. */
const longestUpload = { bytes: 50_000_000, seconds: 3_600 }

const Confidence = Type.Optional(Type.Number())
const Transcript = Type.Object({
  metadata: Type.Object({
    duration: Type.Optional(Type.Number({ minimum: 0 })),
    model_info: Type.Optional(
      Type.Record(Type.String(), Type.Object({ name: Type.Optional(Type.String()) })),
    ),
  }),
  results: Type.Object({
    channels: Type.Array(
      Type.Object({
        alternatives: Type.Array(
          Type.Object({ transcript: Type.String(), confidence: Confidence }),
        ),
      }),
    ),
    utterances: Type.Optional(
      Type.Array(
        Type.Object({
          start: Type.Number(),
          end: Type.Number(),
          transcript: Type.String(),
          confidence: Confidence,
        }),
      ),
    ),
  }),
})

/** Builds it. */
export function createDeepgramTranscriber(options: DeepgramOptions): Transcriber {
  const { name = 'deepgram', apiKey, baseUrl = 'https://api.deepgram.com/v1' } = options
  const service: HttpService = {
    name,
    limits: { ...usualLimits, ...options.limits },
    headers: { authorization: `Token ${apiKey}` },
    secrets: [apiKey],
  }
  const { totalSeconds } = service.limits
  const query = new URLSearchParams({
    model: options.model ?? 'nova-3',
    punctuate: 'true',
    utterances: 'true',
    ...(options.language === undefined
      ? { detect_language: 'true' }
      : { language: options.language }),
  })
  const url = `${baseUrl.replace(/\/+$/, '')}/listen?${query}`

  return {
    name,
    longestUpload,
    transcribe: async ({ audio, seconds, idempotencyKey }, signal) => {
      const late = () =>
        new ProviderError('retryable', `${name}: no transcript within ${totalSeconds} s`)
      const request = { url, contentType: 'audio/wav', body: audio, idempotencyKey }
      const value = await withDeadline(totalSeconds, late, signal, (inTime) =>
        post(service, request, Transcript, inTime),
      )
      const model = Object.values(value.metadata.model_info ?? {})[0]?.name
      return {
        value: heardIn(value, seconds),
        use: { audioSeconds: value.metadata.duration ?? seconds },
        model: model === undefined ? null : cleanText(model, 100),
      }
    },
  }
}

function heardIn({ results }: Static<typeof Transcript>, seconds: number): readonly Utterance[] {
  const utterances = (results.utterances ?? []).map(({ transcript, confidence, ...times }) => ({
    ...times,
    text: transcript,
    confidence: confidence ?? null,
  }))
  const whole = results.channels.flatMap(({ alternatives }) =>
    alternatives.slice(0, 1).map(({ transcript, confidence }) => ({
      start: 0,
      end: seconds,
      text: transcript,
      confidence: confidence ?? null,
    })),
  )
  return asUtterances(utterances.length > 0 ? utterances : whole, seconds)
}
