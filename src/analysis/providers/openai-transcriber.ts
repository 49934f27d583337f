// Transcription by any server that speaks OpenAI's `POST /audio/transcriptions`: OpenAI itself, speaches, vLLM,
// whisper.cpp's server.
import Type, { type Static } from 'typebox'
import { ProviderError } from '../provider.ts'
import type { Answer, Transcriber, TranscriptionRequest, Use, Utterance } from '../service.ts'
import { rememberFormats } from './answer-format.ts'
import { withDeadline } from './deadline.ts'
import { type HttpService, post, type ServiceLimits, usualLimits } from './http-service.ts'
import { asUtterances } from './utterances.ts'

/** Which server is asked, and for what. */
export type OpenAiTranscriberOptions = {
  /** Default `openai`. */
  readonly name?: string
  /** Such as `https://api.openai.com/v1`. */
  readonly baseUrl: string
  /** Servers of one's own often need none. */
  readonly apiKey?: string
  readonly model: string
  /** ISO 639-1; without it the service finds out. */
  readonly language?: string
  readonly limits?: Partial<ServiceLimits>
  /** The most that one request may hold, where the usual is not right. */
  readonly longestUpload?: Transcriber['longestUpload']
}

/** OpenAI counts the whole form, not only the file, towards its 25 MiB. */
const usualUpload = { bytes: 25_000_000, seconds: 1_400 }

const NumberOrNothing = Type.Optional(Type.Union([Type.Number(), Type.Null()]))
const Segment = Type.Object({
  start: Type.Number(),
  end: Type.Number(),
  text: Type.String(),
  avg_logprob: NumberOrNothing,
  compression_ratio: NumberOrNothing,
  no_speech_prob: NumberOrNothing,
})
const Transcription = Type.Object({
  text: Type.String(),
  segments: Type.Optional(Type.Union([Type.Array(Segment), Type.Null()])),
  usage: Type.Optional(
    Type.Union([
      Type.Object({ type: Type.Literal('duration'), seconds: Type.Number({ minimum: 0 }) }),
      Type.Object({
        type: Type.Literal('tokens'),
        input_tokens: Type.Integer({ minimum: 0 }),
        output_tokens: Type.Integer({ minimum: 0 }),
      }),
      Type.Null(),
    ]),
  ),
})

/** `timed_json` is `verbose_json` of a server that gives no times of sentences unless it is told to: speaches. */
type Format = 'timed_json' | 'verbose_json' | 'json'

/** The formats that may be had; what a server is known to refuse is not asked for. */
function formatsFor(baseUrl: string, model: string): readonly [Format, ...Format[]] {
  if (/^gpt-/.test(model)) return ['json']
  const isOpenAi = /^https:\/\/[^/]*openai\.(azure\.)?com\b/.test(baseUrl)
  return isOpenAi ? ['verbose_json', 'json'] : ['timed_json', 'verbose_json', 'json']
}

/** Builds it. */
export function createOpenAiTranscriber(options: OpenAiTranscriberOptions): Transcriber {
  const { name = 'openai', baseUrl, apiKey, model } = options
  const service: HttpService = {
    name,
    limits: { ...usualLimits, ...options.limits },
    headers: apiKey ? { authorization: `Bearer ${apiKey}` } : {},
    secrets: apiKey ? [apiKey] : [],
  }
  const { totalSeconds } = service.limits
  const formats = rememberFormats(formatsFor(baseUrl, model))

  async function ask(
    request: TranscriptionRequest,
    format: Format,
    idempotencyKey: string,
    signal: AbortSignal,
  ): Promise<Answer<readonly Utterance[]>> {
    const form = new FormData()
    form.append('file', new Blob([request.audio], { type: 'audio/wav' }), 'audio.wav')
    form.append('model', model)
    form.append('response_format', format === 'json' ? 'json' : 'verbose_json')
    if (format === 'timed_json') form.append('without_timestamps', 'false')
    form.append('temperature', '0')
    if (options.language !== undefined) form.append('language', options.language)
    const encoded = new Response(form)
    const value = await post(
      service,
      {
        url: `${baseUrl.replace(/\/+$/, '')}/audio/transcriptions`,
        contentType: encoded.headers.get('content-type') ?? '',
        body: new Uint8Array(await encoded.arrayBuffer()),
        idempotencyKey,
      },
      Transcription,
      signal,
    )
    return {
      value: heardIn(value, request.seconds),
      use: useOf(value, request.seconds),
      model: null,
    }
  }

  return {
    name,
    longestUpload: options.longestUpload ?? usualUpload,
    transcribe: (request, signal) => {
      const late = () =>
        new ProviderError('retryable', `${name}: no transcript within ${totalSeconds} s`)
      return withDeadline(totalSeconds, late, signal, (inTime) =>
        formats.ask(request.idempotencyKey, (format, key) => ask(request, format, key, inTime)),
      )
    },
  }
}

function heardIn(
  { text, segments }: Static<typeof Transcription>,
  seconds: number,
): readonly Utterance[] {
  if (segments == null || segments.length === 0)
    return asUtterances([{ start: 0, end: seconds, text, confidence: null }], seconds)
  const heard = segments.filter((segment) => !isHallucinated(segment))
  return asUtterances(
    heard.map((segment) => ({ ...segment, confidence: confidenceOf(segment.avg_logprob) })),
    seconds,
  )
}

/**
 * Whisper writes words where nobody speaks, and repeats itself where it does not understand. These are the limits by
 * which its authors tell.
 */
function isHallucinated(segment: Static<typeof Segment>): boolean {
  const { avg_logprob, compression_ratio, no_speech_prob } = segment
  if ((compression_ratio ?? 0) > 2.4) return true
  return (no_speech_prob ?? 0) > 0.6 && (avg_logprob ?? 0) < -1
}

function confidenceOf(averageLogarithm: number | null | undefined): number | null {
  return averageLogarithm == null ? null : Math.exp(averageLogarithm)
}

function useOf({ usage }: Static<typeof Transcription>, seconds: number): Use {
  if (usage == null) return { audioSeconds: seconds }
  if (usage.type === 'duration') return { audioSeconds: usage.seconds }
  return {
    audioSeconds: seconds,
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
  }
}
