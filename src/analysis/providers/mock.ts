// An AI service as unreliable as real ones: it reads the whole call, takes its time, and fails a share of
// its attempts with a 503. It cannot hear, but it knows the recordings that ship with the product. What an
// attempt draws depends on seed, call and attempt alone, so a run can be repeated at any concurrency.
import { setTimeout } from 'node:timers/promises'
import { hashText, seededRandom } from '../../random.ts'
import {
  type AnalysisRequest,
  type AnalysisResult,
  type Provider,
  ProviderError,
} from '../provider.ts'
import { sentimentOf } from './cue-words.ts'
import { indexSpeech, type Listener, type SpeechRecording, type Utterance } from './known-speech.ts'
import { collectUnknownPayloads } from './unknown-payloads.ts'

/** How flaky the mock is, and what it knows. */
export type MockOptions = {
  /** The share of attempts that fail, 0 to 1. */
  readonly failureRate: number
  /** Seconds; every attempt takes a time drawn evenly from `minLatency` to `maxLatency`. */
  readonly minLatency: number
  readonly maxLatency: number
  /** 0 to 2^32 - 1. */
  readonly seed: number
  readonly speech: readonly SpeechRecording[]
  /** Waits for `seconds`, or rejects with the signal's reason. Default: a timer. */
  readonly wait?: (seconds: number, signal: AbortSignal) => Promise<void>
}

/** Builds the mock provider. */
export function createMockProvider(options: MockOptions): Provider {
  const { failureRate, minLatency, maxLatency, seed, speech, wait = waitByTimer } = options
  const listen = indexSpeech(speech)

  return {
    name: 'mock',
    analyse: async (request, signal) => {
      const random = seededRandom(hashText(`${seed} ${request.callId} ${request.attempt}`))
      const result = await readCall(request, listen(), signal)
      await wait(minLatency + (maxLatency - minLatency) * random(), signal)
      if (random() < failureRate)
        throw new ProviderError('retryable', 'mock: 503 Service Unavailable')
      return result
    },
  }
}

async function waitByTimer(seconds: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(seconds * 1000, undefined, { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}

async function readCall(
  { packets }: AnalysisRequest,
  listener: Listener,
  signal: AbortSignal,
): Promise<AnalysisResult> {
  const unknown = collectUnknownPayloads()
  signal.throwIfAborted()
  for await (const { track, sequence, payload } of packets) {
    signal.throwIfAborted()
    if (listener.hear(track, sequence, payload)) unknown.addKnown()
    else unknown.add(payload)
  }
  const utterances = listener.utterances()
  if (utterances.length > 0) return resultOf(utterances)
  const { transcription, summary, spoken } = unknown.describe()
  return { transcription, summary, sentiment: spoken ? sentimentOf(transcription) : 'neutral' }
}

function resultOf(utterances: readonly Utterance[]): AnalysisResult {
  const names = { customer: 'Customer', agent: 'Agent' }
  const customer = textOf(utterances, 'customer')
  return {
    transcription: utterances.map(({ speaker, text }) => `${names[speaker]}: ${text}`).join('\n'),
    utterances,
    sentiment: sentimentOf(customer),
    summary: summaryOf(sentences(customer).at(0), sentences(textOf(utterances, 'agent')).at(-1)),
  }
}

function textOf(utterances: readonly Utterance[], speaker: Utterance['speaker']): string {
  return utterances
    .filter((utterance) => utterance.speaker === speaker)
    .map(({ text }) => text)
    .join(' ')
}

function sentences(text: string): string[] {
  return text.split(/(?<=[.!?]) /).filter((sentence) => /\p{L}/u.test(sentence))
}

function summaryOf(reason: string | undefined, outcome: string | undefined): string {
  const parts: string[] = []
  if (reason !== undefined) parts.push(`The customer said: “${reason}”`)
  if (outcome !== undefined) parts.push(`The agent’s last words: “${outcome}”`)
  return parts.join(' ')
}
