// A server that speaks OpenAI's API of transcription and chat, in the dialect of one of the servers that people run.
import {
  type AiServer,
  json,
  type ReceivedRequest,
  type Reply,
  startAiServer,
} from './ai-server.ts'

/** Whose dialect. */
export type Dialect = 'openai' | 'speaches' | 'whisper.cpp' | 'vllm'

/** A segment as Whisper writes it. */
export type HeardSegment = {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly avg_logprob?: number | null
  readonly compression_ratio?: number | null
  readonly no_speech_prob?: number | null
}

/** A chat request as it came. */
export type ChatRequest = {
  readonly model: string
  readonly messages: readonly { readonly role: string; readonly content: string }[]
  readonly response_format?: { readonly type: string }
}

/** What the server knows. */
export type OpenAiServerOptions = {
  readonly dialect?: Dialect
  readonly apiKey?: string
  /** What is heard in an audio file; by default one greeting. */
  readonly hear?: (file: File) => readonly HeardSegment[] | Promise<readonly HeardSegment[]>
  /** What an answer to an audio file says that it cost; by default what the dialect says of 2 s. */
  readonly usage?: (file: File) => unknown
  /** The text of an answer; by default a mood and a summary in one. */
  readonly complete?: (request: ChatRequest) => string
  readonly models?: readonly string[]
  /** Forms of answers of the chat that it knows. */
  readonly chatFormats?: readonly string[]
}

const usualModels = ['whisper-1', 'gpt-4o-transcribe', 'gpt-4o-mini']
const usualCompletion = JSON.stringify({
  label: 'negative',
  score: -0.6,
  reason: 'Charged twice.',
  outcome: 'Refund ordered.',
  next_step: 'The money arrives within three days.',
})

/** Starts it; its URL is what the SDKs call the base URL. */
export function startOpenAiServer(options: OpenAiServerOptions = {}): Promise<AiServer> {
  const { dialect = 'openai', apiKey } = options
  return startAiServer('/v1', (request) => {
    if (apiKey !== undefined && request.headers.authorization !== `Bearer ${apiKey}`)
      return refuse(dialect, 401, 'Incorrect API key provided', 'invalid_api_key')
    if (request.path === '/v1/audio/transcriptions') return transcribe(request, options)
    if (request.path === '/v1/chat/completions') return complete(request, options)
    return refuse(dialect, 404, `Invalid URL (POST ${request.path})`, null)
  })
}

/** An error as the dialect writes it. */
export function refuse(
  dialect: Dialect,
  status: number,
  message: string,
  code: string | null,
  headers?: Reply['headers'],
): Reply {
  if (dialect === 'whisper.cpp') return json(status, { error: message }, headers)
  if (dialect === 'speaches') return json(status, { detail: message }, headers)
  const type = status < 500 ? 'invalid_request_error' : 'server_error'
  return json(status, { error: { message, type, param: null, code } }, headers)
}

async function transcribe(
  request: ReceivedRequest,
  { dialect = 'openai', hear = greeting, models = usualModels, ...options }: OpenAiServerOptions,
): Promise<Reply> {
  const type = request.headers['content-type'] ?? ''
  if (!type.startsWith('multipart/form-data')) return refuse(dialect, 415, 'Not a form', null)
  const form = await new Response(request.body, { headers: { 'content-type': type } }).formData()
  const file = form.get('file')
  if (!(file instanceof File) || !/\.(wav|flac|mp3)$/.test(file.name))
    return refuse(dialect, 400, 'Invalid file format. Supported formats: flac, mp3, wav', null)
  const model = String(form.get('model'))
  // The server of whisper.cpp has one model and asks for none.
  if (dialect !== 'whisper.cpp' && !models.includes(model))
    return refuse(dialect, 404, `The model \`${model}\` does not exist`, 'model_not_found')
  if (Buffer.from(await file.slice(0, 4).arrayBuffer()).toString() !== 'RIFF')
    return refuse(dialect, 400, 'The audio file could not be decoded', null)

  const segments = await hear(file)
  const usage = options.usage?.(file) ?? usageOf(dialect, model)
  const text = segments.map((segment) => segment.text).join('')
  const format = form.get('response_format') ?? 'json'
  const headers = dialect === 'whisper.cpp' ? { server: 'whisper.cpp' } : undefined
  if (format === 'verbose_json' && model.startsWith('gpt-4o'))
    return refuse(
      dialect,
      400,
      `response_format 'verbose_json' is not compatible with model '${model}'. Use 'json' instead.`,
      'unsupported_value',
    )
  if (format === 'json') return json(200, { text, usage }, headers)
  if (format !== 'verbose_json')
    return { status: 200, body: text, headers: { 'content-type': 'text/html' } }
  const verbose = {
    task: 'transcribe',
    language: 'english',
    duration: segments.at(-1)?.end ?? 0,
    text,
    segments: segments.map((segment, id) => ({
      id,
      seek: 0,
      tokens: [],
      temperature: 0,
      ...segment,
    })),
    ...(dialect === 'whisper.cpp' && { detected_language: 'en' }),
    usage,
  }
  return json(200, verbose, { ...headers, 'content-type': 'application/json' })
}

function greeting(): readonly HeardSegment[] {
  return [
    {
      start: 0.2,
      end: 1.4,
      text: ' Hello, how can I help?',
      avg_logprob: -0.2,
      compression_ratio: 0.9,
      no_speech_prob: 0.01,
    },
  ]
}

function usageOf(dialect: Dialect, model: string): unknown {
  if (dialect !== 'openai') return undefined
  return model.startsWith('gpt-4o')
    ? { type: 'tokens', input_tokens: 14, output_tokens: 6, total_tokens: 20 }
    : { type: 'duration', seconds: 2 }
}

function complete(
  request: ReceivedRequest,
  {
    dialect = 'openai',
    models = usualModels,
    complete: write = () => usualCompletion,
    chatFormats = ['json_schema', 'json_object'],
  }: OpenAiServerOptions,
): Reply {
  const chat = JSON.parse(request.body.toString()) as ChatRequest
  if (!models.includes(chat.model))
    return refuse(dialect, 404, `The model \`${chat.model}\` does not exist`, 'model_not_found')
  const format = chat.response_format?.type
  if (format !== undefined && !chatFormats.includes(format))
    return refuse(dialect, 400, `response_format of type ${format} is not supported`, null)
  return json(200, {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: `${chat.model}-2026-01-01`,
    choices: [
      {
        index: 0,
        finish_reason: 'stop',
        message: { role: 'assistant', content: write(chat), refusal: null },
      },
    ],
    usage: { prompt_tokens: 120, completion_tokens: 30, total_tokens: 150 },
  })
}
