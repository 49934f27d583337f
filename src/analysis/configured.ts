// The AI services of the settings, in the order in which they are asked.
import type { Config } from '../config.ts'
import { StartupError } from '../errors.ts'
import { createDeepgramTranscriber } from './providers/deepgram.ts'
import type { ServiceLimits } from './providers/http-service.ts'
import type { SpeechRecording } from './providers/known-speech.ts'
import { createMockProvider } from './providers/mock.ts'
import { createOpenAiMoodJudge, createOpenAiSummariser } from './providers/openai-chat.ts'
import { createOpenAiTranscriber } from './providers/openai-transcriber.ts'
import type { AnalysisProvider } from './work-options.ts'

/** The mock stands for any number of services: more than the analyses in flight of many gateways. */
const mockCeiling = 1_000

type Build = (config: Config, speech: readonly SpeechRecording[]) => AnalysisProvider

/**
 * Builds the providers of AI_PROVIDERS.
 * @param speech what the mock knows
 * @throws StartupError when a key is missing
 */
export function configuredProviders(
  config: Config,
  speech: readonly SpeechRecording[],
): readonly AnalysisProvider[] {
  return config.AI_PROVIDERS.map((name) => builders[name](config, speech))
}

const builders: Readonly<Record<Config['AI_PROVIDERS'][number], Build>> = {
  mock: (config, speech) => ({
    name: 'mock',
    ceiling: Math.max(mockCeiling, config.ANALYSIS_CONCURRENCY),
    analyse: createMockProvider({
      failureRate: config.AI_SERVICE_FAILURE_RATE,
      minLatency: config.AI_SERVICE_MIN_LATENCY,
      maxLatency: config.AI_SERVICE_MAX_LATENCY,
      seed: config.AI_SEED,
      speech,
    }).analyse,
  }),
  openai: (config) => {
    const service = {
      name: 'openai',
      baseUrl: config.OPENAI_BASE_URL,
      ...keyOf(config.OPENAI_API_KEY),
      limits: limitsOf(config),
    }
    if (config.OPENAI_API_KEY === null && config.OPENAI_BASE_URL.includes('api.openai.com'))
      throw new StartupError('AI_PROVIDERS names openai: OPENAI_API_KEY must be set')
    const transcribes =
      config.OPENAI_TRANSCRIPTION_MODEL === ''
        ? {}
        : {
            transcriber: createOpenAiTranscriber({
              ...service,
              ...languageOf(config),
              model: config.OPENAI_TRANSCRIPTION_MODEL,
            }),
          }
    const chat = { ...service, model: config.OPENAI_CHAT_MODEL }
    return {
      name: 'openai',
      ceiling: config.OPENAI_CONCURRENCY,
      ...transcribes,
      ...(config.OPENAI_CHAT_MODEL === ''
        ? {}
        : { moodJudge: createOpenAiMoodJudge(chat), summariser: createOpenAiSummariser(chat) }),
    }
  },
  whisper: (config) => ({
    name: 'whisper',
    ceiling: config.WHISPER_CONCURRENCY,
    transcriber: createOpenAiTranscriber({
      name: 'whisper',
      baseUrl: config.WHISPER_BASE_URL,
      ...keyOf(config.WHISPER_API_KEY),
      ...languageOf(config),
      model: config.WHISPER_MODEL,
      limits: limitsOf(config),
    }),
  }),
  deepgram: (config) => {
    if (config.DEEPGRAM_API_KEY === null)
      throw new StartupError('AI_PROVIDERS names deepgram: DEEPGRAM_API_KEY must be set')
    return {
      name: 'deepgram',
      ceiling: config.DEEPGRAM_CONCURRENCY,
      transcriber: createDeepgramTranscriber({
        baseUrl: `${config.DEEPGRAM_BASE_URL}/v1`,
        apiKey: config.DEEPGRAM_API_KEY,
        ...languageOf(config),
        model: config.DEEPGRAM_MODEL,
        limits: limitsOf(config),
      }),
    }
  },
}

function keyOf(key: string | null): { apiKey?: string } {
  return key === null ? {} : { apiKey: key }
}

function languageOf({ TRANSCRIPTION_LANGUAGE: language }: Config): { language?: string } {
  return language === '' ? {} : { language }
}

function limitsOf({ ANALYSIS_TIMEOUT_SECONDS: seconds }: Config): Partial<ServiceLimits> {
  return { requestSeconds: seconds, totalSeconds: 2 * seconds }
}
