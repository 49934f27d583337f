// Mood and summary by any server that speaks OpenAI's `POST /chat/completions`. The transcript goes there as data;
// what comes back is checked, bounded and never obeyed.
import Type, { type Static, type TSchema } from 'typebox'
import { ProviderError } from '../provider.ts'
import type {
  Answer,
  ConversationRequest,
  Mood,
  MoodJudge,
  Summariser,
  Summary,
  Use,
} from '../service.ts'
import { rememberFormats } from './answer-format.ts'
import { cleanText } from './answer-text.ts'
import { conversationText, moodInstruction, summaryInstruction } from './conversation-prompt.ts'
import { withDeadline } from './deadline.ts'
import {
  garbage,
  type HttpService,
  post,
  readJson,
  type ServiceLimits,
  usualLimits,
} from './http-service.ts'

/** Which model is asked. */
export type OpenAiChatOptions = {
  /** Default `openai`. */
  readonly name?: string
  /** Such as `https://api.openai.com/v1`. */
  readonly baseUrl: string
  /** Servers of one's own often need none. */
  readonly apiKey?: string
  readonly model: string
  readonly limits?: Partial<ServiceLimits>
}

/** Enough for a model that thinks before it answers. */
const mostAnswerTokens = 4_000
/** Of one part of a summary, in characters. */
const longestPart = 600

const Completion = Type.Object({
  model: Type.Optional(Type.String()),
  choices: Type.Array(
    Type.Object({
      finish_reason: Type.Optional(Type.Union([Type.String(), Type.Null()])),
      message: Type.Object({
        content: Type.Optional(Type.Union([Type.String(), Type.Null()])),
        refusal: Type.Optional(Type.Union([Type.String(), Type.Null()])),
      }),
    }),
    { minItems: 1 },
  ),
  usage: Type.Optional(
    Type.Union([
      Type.Object({
        prompt_tokens: Type.Integer({ minimum: 0 }),
        completion_tokens: Type.Optional(Type.Integer({ minimum: 0 })),
      }),
      Type.Null(),
    ]),
  ),
})

const MoodAnswer = Type.Object({
  label: Type.Union(
    (['positive', 'neutral', 'negative', 'mixed'] as const).map((label) => Type.Literal(label)),
  ),
  score: Type.Number(),
})
const SummaryAnswer = Type.Object({
  reason: Type.String(),
  outcome: Type.String(),
  next_step: Type.String(),
})

/** Builds a judge of the customer's mood. */
export function createOpenAiMoodJudge(options: OpenAiChatOptions): MoodJudge {
  const chat = createChat(options, 'mood', moodInstruction, MoodAnswer)
  const toMood = ({ label, score }: Static<typeof MoodAnswer>): Mood => {
    if (score < -1 || score > 1) throw garbage(chat.name, 'has a score out of range')
    return { label, score }
  }
  return {
    name: chat.name,
    judge: async (request, signal) => {
      const { value, ...rest } = await chat.ask(request, signal)
      return { ...rest, value: toMood(value) }
    },
  }
}

/** Builds a summariser. */
export function createOpenAiSummariser(options: OpenAiChatOptions): Summariser {
  const chat = createChat(options, 'summary', summaryInstruction, SummaryAnswer)
  const toSummary = (answer: Static<typeof SummaryAnswer>): Summary => {
    const [reason = '', outcome = '', nextStep = ''] = [
      answer.reason,
      answer.outcome,
      answer.next_step,
    ].map((text) => cleanText(text, longestPart))
    if (reason === '') throw garbage(chat.name, 'is empty')
    return { reason, outcome, nextStep }
  }
  return {
    name: chat.name,
    summarise: async (request, signal) => {
      const { value, ...rest } = await chat.ask(request, signal)
      return { ...rest, value: toSummary(value) }
    },
  }
}

type Chat<T extends TSchema> = {
  readonly name: string
  readonly ask: (request: ConversationRequest, signal: AbortSignal) => Promise<Answer<Static<T>>>
}

function createChat<T extends TSchema>(
  options: OpenAiChatOptions,
  title: string,
  instruction: string,
  schema: T,
): Chat<T> {
  const { name = 'openai', baseUrl, apiKey, model } = options
  const service: HttpService = {
    name,
    limits: { ...usualLimits, ...options.limits },
    headers: apiKey ? { authorization: `Bearer ${apiKey}` } : {},
    secrets: apiKey ? [apiKey] : [],
  }
  const { totalSeconds } = service.limits
  const formats = rememberFormats(['json_schema', 'json_object', 'text'])
  // OpenAI demands that nothing else is allowed; of a model that adds something it is ignored.
  const wanted = { ...schema, additionalProperties: false }
  const parameters = {
    json_schema: {
      type: 'json_schema',
      json_schema: { name: title, strict: true, schema: wanted },
    },
    json_object: { type: 'json_object' },
    text: undefined,
  }

  async function ask(
    { lines }: ConversationRequest,
    format: keyof typeof parameters,
    idempotencyKey: string,
    signal: AbortSignal,
  ): Promise<Answer<Static<T>>> {
    const { prompt, sent } = conversationText(lines)
    const body = JSON.stringify({
      model,
      max_completion_tokens: mostAnswerTokens,
      messages: [
        { role: 'system', content: `${instruction}\nIts JSON schema: ${JSON.stringify(wanted)}` },
        { role: 'user', content: prompt },
      ],
      response_format: parameters[format],
    })
    const url = `${baseUrl.replace(/\/+$/, '')}/chat/completions`
    const request = { url, contentType: 'application/json', body, idempotencyKey, sent }
    const completion = await post(service, request, Completion, signal)
    const text = answerOf(name, completion)
    return {
      value: readJson(name, Buffer.from(text), schema),
      use: useOf(completion),
      model: completion.model === undefined ? null : cleanText(completion.model, 100),
    }
  }

  return {
    name,
    ask: (request, signal) => {
      const late = () =>
        new ProviderError('retryable', `${name}: no ${title} within ${totalSeconds} s`)
      return withDeadline(totalSeconds, late, signal, (inTime) =>
        formats.ask(request.idempotencyKey, (format, key) => ask(request, format, key, inTime)),
      )
    },
  }
}

const [endOfThoughts, fence] = ['</think>', '```']

/** The JSON text of a completion, out of what some models put around it. */
function answerOf(name: string, { choices }: Static<typeof Completion>): string {
  const [choice] = choices
  if (choice?.message.refusal || choice?.finish_reason === 'content_filter')
    throw new ProviderError('permanent', `${name}: the model refuses to answer`)
  if (choice?.finish_reason === 'length') throw garbage(name, 'was cut off by its own length')
  const content = choice?.message.content ?? ''
  const thoughts = content.trimStart().startsWith('<think>') ? content.indexOf(endOfThoughts) : -1
  const answer = (thoughts === -1 ? content : content.slice(thoughts + endOfThoughts.length)).trim()
  if (!answer.startsWith(fence) || !answer.endsWith(fence)) return answer
  return answer.slice(answer.indexOf('\n'), -fence.length)
}

function useOf({ usage }: Static<typeof Completion>): Use {
  if (usage == null) return {}
  return { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens ?? 0 }
}
