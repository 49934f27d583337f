// Every client of an AI service, with a server to ask, and what every failure of one has in common.
import assert from 'node:assert/strict'
import { ProviderError } from '../../../src/analysis/provider.ts'
import { createDeepgramTranscriber } from '../../../src/analysis/providers/deepgram.ts'
import type { ServiceLimits } from '../../../src/analysis/providers/http-service.ts'
import {
  createOpenAiMoodJudge,
  createOpenAiSummariser,
} from '../../../src/analysis/providers/openai-chat.ts'
import { createOpenAiTranscriber } from '../../../src/analysis/providers/openai-transcriber.ts'
import type { SpokenLine } from '../../../src/analysis/service.ts'
import { until } from '../until.ts'
import type { AiServer } from './ai-server.ts'
import { startDeepgramServer } from './deepgram-server.ts'
import { startOpenAiServer } from './openai-server.ts'
import { wavOf } from './wav.ts'

/** The key that the services of these tests ask for. */
export const apiKey = 'very-secret-key-of-ours'
const lines: readonly SpokenLine[] = [
  {
    speaker: 'customer',
    start: 1,
    text: 'My mother’s maiden name is Featherstonehaugh of Dorset.',
  },
  { speaker: 'agent', start: 5, text: 'Thank you, I have ordered a refund.' },
]

/** Only who was sent words can repeat them. */
export const quotation = 'Bad line: "my mother’s maiden name is featherstonehaugh of dorset"'

/** Asks a service once. */
export type Client = (key: string, signal?: AbortSignal) => Promise<unknown>
type Subject = {
  readonly start: () => Promise<AiServer>
  readonly client: (baseUrl: string, limits?: Partial<ServiceLimits>) => Client
}

/** What nobody gives up. */
export const never = new AbortController().signal
/** Two seconds of sound. */
export const audio = wavOf(2)
/** The clients, and servers that speak their wire format. */
export const subjects: Readonly<Record<string, Subject>> = {
  'OpenAI transcription': {
    start: () => startOpenAiServer({ apiKey }),
    client: (baseUrl, limits = {}) => {
      const service = createOpenAiTranscriber({ baseUrl, apiKey, model: 'whisper-1', limits })
      return (idempotencyKey, signal = never) =>
        service.transcribe({ idempotencyKey, audio, seconds: 2 }, signal)
    },
  },
  'OpenAI mood': {
    start: () => startOpenAiServer({ apiKey }),
    client: (baseUrl, limits = {}) => {
      const service = createOpenAiMoodJudge({ baseUrl, apiKey, model: 'gpt-4o-mini', limits })
      return (idempotencyKey, signal = never) => service.judge({ idempotencyKey, lines }, signal)
    },
  },
  'OpenAI summary': {
    start: () => startOpenAiServer({ apiKey }),
    client: (baseUrl, limits = {}) => {
      const service = createOpenAiSummariser({ baseUrl, apiKey, model: 'gpt-4o-mini', limits })
      return (idempotencyKey, signal = never) =>
        service.summarise({ idempotencyKey, lines }, signal)
    },
  },
  Deepgram: {
    start: () => startDeepgramServer(apiKey),
    client: (baseUrl, limits = {}) => {
      const service = createDeepgramTranscriber({ baseUrl, apiKey, limits })
      return (idempotencyKey, signal = never) =>
        service.transcribe({ idempotencyKey, audio, seconds: 2 }, signal)
    },
  },
}

/** The failure of a request, after which no connection is left open. */
export async function failureOf(server: AiServer | undefined, work: Promise<unknown>) {
  const error = await work.then(
    () => assert.fail('it succeeded'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ProviderError, String(error))
  assert.ok(!error.message.includes(apiKey) && !error.message.includes('Featherstonehaugh'))
  assert.match(error.message, /^(openai|deepgram): \P{Cc}{1,280}$/u)
  if (server !== undefined)
    await until('all connections are closed', () => server.openSockets() === 0)
  return error
}
