// All settings, from the environment and `.env`, parsed once into a frozen, typed object. Every mistake is
// reported at once, by the name of its variable. Nothing else in the program reads `process.env`.
import { availableParallelism } from 'node:os'
import { StartupError } from './errors.ts'

type Setting<T> = {
  /** What the variable means, one sentence, as it stands in `.env.example`. */
  readonly about: string
  /** What it accepts, in words, as it stands in an error message. */
  readonly accepts: string
  readonly fallback: string
  readonly secret?: boolean
  /** Returns the value, or `undefined` when the text is not acceptable. */
  readonly parse: (text: string) => T | undefined
}

function number(about: string, fallback: string, min: number, max: number): Setting<number> {
  return {
    about,
    accepts: `a number from ${min} to ${max}`,
    fallback,
    parse: (text) => {
      const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN
      return value >= min && value <= max ? value : undefined
    },
  }
}

function integer(about: string, fallback: string, min: number, max: number): Setting<number> {
  return {
    about,
    accepts: `a whole number from ${min} to ${max}`,
    fallback,
    parse: (text) => {
      const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
      return value >= min && value <= max ? value : undefined
    },
  }
}

function text(about: string, fallback: string): Setting<string> {
  return {
    about,
    accepts: 'a text that is not empty',
    fallback,
    parse: (value) => value || undefined,
  }
}

/** A secret; empty: what it guards is not checked, which is `null`. */
function secret(about: string): Setting<string | null> {
  return {
    about,
    accepts: 'a secret, or empty',
    fallback: '',
    secret: true,
    parse: (value) => value || null,
  }
}

function oneOf<const T extends string>(
  about: string,
  fallback: T,
  choices: readonly T[],
): Setting<T> {
  return {
    about,
    accepts: `one of ${choices.join(', ')}`,
    fallback,
    parse: (value) => choices.find((choice) => choice === value),
  }
}

/** Several of a few names, separated by commas, each once, in an order that matters. */
function listOf<const T extends string>(
  about: string,
  fallback: string,
  choices: readonly T[],
): Setting<readonly T[]> {
  return {
    about,
    accepts: `names of ${choices.join(', ')}, separated by commas`,
    fallback,
    parse: (value) => {
      const names = value.split(',').map((name) => choices.find((each) => each === name.trim()))
      const known = names.filter((name) => name !== undefined)
      const isWell = known.length === names.length && new Set(known).size === known.length
      return isWell ? known : undefined
    },
  }
}

function parseServiceUrl(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined
  return url !== undefined && /^https?:$/.test(url.protocol) ? value.replace(/\/+$/, '') : undefined
}

/** The base URL of an AI service. */
function serviceUrl(about: string, fallback: string): Setting<string> {
  return {
    about,
    accepts: 'a URL such as https://api.openai.com/v1',
    fallback,
    parse: parseServiceUrl,
  }
}

/** A text that may be empty. */
function optionalText(about: string, fallback: string): Setting<string> {
  return { about, accepts: 'a text, or empty', fallback, parse: (value) => value }
}

/** The same, and the word `auto` for a value that is found out. */
function orAuto<T>(setting: Setting<T>, find: () => T): Setting<T> {
  return {
    ...setting,
    accepts: `${setting.accepts}, or auto`,
    parse: (value) => (value === 'auto' ? find() : setting.parse(value)),
  }
}

function parseDatabaseUrl(value: string): string | null | undefined {
  if (value === '') return null
  const url = value.replace(/^(postgres|postgresql)(\+\w+)?:\/\//, 'postgresql://')
  return url.startsWith('postgresql://') && URL.canParse(url) ? url : undefined
}

function parsePublicUrl(value: string): string | null | undefined {
  if (value === '') return null
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || !/^(https?|wss?):$/.test(url.protocol)) return undefined
  return url.search === '' && url.hash === '' ? value.replace(/\/+$/, '') : undefined
}

/** A port of its own; `off` is `null`, and `auto` the usual one unless something else has it. */
function portOrOff(about: string, usual: number): Setting<number | 'auto' | null> {
  const port = integer(about, 'auto', 0, 65_535)
  return {
    ...port,
    accepts: `${port.accepts}, off, or auto: ${usual} if it is free`,
    parse: (value) => (value === 'off' ? null : value === 'auto' ? value : port.parse(value)),
  }
}

/** Where Asterisk finds AudioSocket when nothing else is said. */
export const usualAudioSocketPort = 9092
const day = 86_400
const mostWorkers = 64

/** Every environment variable the gateway knows; times are seconds. */
export const settings = {
  DATABASE_URL: {
    about: 'The PostgreSQL (15 or later) to use. Empty: an embedded PostgreSQL in DATA_DIR.',
    accepts: 'postgres://user:password@host:port/database (also postgresql+asyncpg://), or empty',
    fallback: '',
    secret: true,
    parse: parseDatabaseUrl,
  } satisfies Setting<string | null>,
  DATA_DIR: text('The folder of the embedded PostgreSQL.', './data'),
  APP_HOST: text('The address to listen on. The HTTP API has no authentication yet.', '127.0.0.1'),
  APP_PORT: integer('The port to listen on; 0 picks a free one.', '8000', 0, 65_535),
  WORKERS: orAuto(
    integer('Processes that serve the port together; auto: one a core.', '1', 1, mostWorkers),
    () => Math.min(availableParallelism(), mostWorkers),
  ),
  AUDIOSOCKET_PORT: portOrOff(
    'The port for Asterisk AudioSocket (TCP, on APP_HOST; it has no authentication); 0 picks a free one.',
    usualAudioSocketPort,
  ),
  PUBLIC_URL: {
    about:
      'Where the PBX finds the gateway, if not where it listens: what signatures are made over.',
    accepts: 'a URL such as https://gateway.example.com, or empty',
    fallback: '',
    parse: parsePublicUrl,
  } satisfies Setting<string | null>,
  TWILIO_AUTH_TOKEN: secret(
    'The auth token of the Twilio account: its signatures are then demanded.',
  ),
  FONOSTER_ACCESS_KEY_SECRET: secret('What Fonoster signs with: its signatures are then demanded.'),
  GENESYS_API_KEY: secret('The API key of the Genesys AudioHook integration: it is then demanded.'),
  GENESYS_CLIENT_SECRET: secret(
    'The client secret (base64) of the Genesys AudioHook integration: signatures are then demanded.',
  ),
  RECONNECT_GRACE_SECONDS: number(
    'How long a call whose media connection was lost waits for it to come back, before it is complete.',
    '10',
    0,
    3600,
  ),
  LOG_LEVEL: oneOf('The least serious log lines that are written.', 'info', [
    'fatal',
    'error',
    'warn',
    'info',
    'debug',
    'trace',
    'silent',
  ]),
  ALLOW_UNSAFE_DATABASE: oneOf(
    'Start even if the database may lose committed data (fsync or synchronous_commit off).',
    'false',
    ['false', 'true'],
  ),
  PACKET_TIMEOUT_SECONDS: number(
    'A call without a packet for so long is complete.',
    '300',
    0.1,
    day,
  ),
  PACKET_PATIENCE_SECONDS: number(
    'How long a packet over HTTP waits for a database that is slow or gone, before 503 is said.',
    '0.04',
    0.001,
    60,
  ),
  COMPLETION_GRACE_SECONDS: number(
    'How long after its completion a call still takes packets before its analysis starts.',
    '2.5',
    0,
    3600,
  ),
  ARCHIVE_AFTER_SECONDS: number(
    'How long an analysed call rests in COMPLETED before it is ARCHIVED.',
    '0',
    0,
    30 * day,
  ),
  ANALYSIS_CONCURRENCY: integer('Analyses in flight at once in each process.', '64', 1, 10_000),
  ANALYSIS_TIMEOUT_SECONDS: number(
    'The longest that one request to an AI service may take.',
    '120',
    0.1,
    3600,
  ),
  ANALYSIS_DEADLINE_SECONDS: number(
    'The longest that one attempt may take with all its requests.',
    '1800',
    0.1,
    day,
  ),
  ANALYSIS_LEASE_SECONDS: number(
    'How long a claimed call is safe from other gateways without a sign of life.',
    '6',
    0.5,
    600,
  ),
  MAX_RETRY_ATTEMPTS: integer(
    'Failed attempts in a row after which a call is FAILED.',
    '5',
    1,
    100,
  ),
  RETRY_INITIAL_WAIT: number('The wait before the second attempt; it doubles.', '1', 0, 3600),
  RETRY_MAX_WAIT: number('The longest wait between two attempts of one burst.', '60', 0, day),
  REDRIVE_INITIAL_WAIT: number(
    'The wait before a FAILED call is tried anew; it doubles.',
    '300',
    0,
    day,
  ),
  REDRIVE_MAX_WAIT: number(
    'The longest wait before a FAILED call is tried anew.',
    '21600',
    0,
    30 * day,
  ),
  REDRIVE_HORIZON: number(
    'How long after its completion a FAILED call is still tried anew.',
    '259200',
    0,
    365 * day,
  ),
  AI_PROVIDERS: listOf(
    'The AI services, in the order in which they are asked; whisper is any OpenAI-compatible transcription server.',
    'mock',
    ['mock', 'openai', 'whisper', 'deepgram'],
  ),
  OPENAI_BASE_URL: serviceUrl(
    'Where OpenAI, or a service that speaks like it, is.',
    'https://api.openai.com/v1',
  ),
  OPENAI_API_KEY: secret('The key for it.'),
  OPENAI_TRANSCRIPTION_MODEL: optionalText('The model that transcribes.', 'whisper-1'),
  OPENAI_CHAT_MODEL: optionalText(
    'The model that judges the mood and summarises. Empty: both are found out here, without a service.',
    '',
  ),
  OPENAI_CONCURRENCY: integer('Requests to it at once, of all gateways together.', '16', 1, 10_000),
  WHISPER_BASE_URL: serviceUrl(
    'Where your own transcription server is.',
    'http://127.0.0.1:8080/v1',
  ),
  WHISPER_MODEL: optionalText('Its model; some servers know only one.', 'whisper-1'),
  WHISPER_API_KEY: secret('The key for it, if it wants one.'),
  WHISPER_CONCURRENCY: integer(
    'Requests to it at once, of all gateways together; whisper.cpp takes one.',
    '1',
    1,
    10_000,
  ),
  DEEPGRAM_BASE_URL: serviceUrl('Where Deepgram is.', 'https://api.deepgram.com'),
  DEEPGRAM_API_KEY: secret('The key for it.'),
  DEEPGRAM_MODEL: optionalText('Its model.', 'nova-3'),
  DEEPGRAM_CONCURRENCY: integer(
    'Requests to it at once, of all gateways together.',
    '32',
    1,
    10_000,
  ),
  TRANSCRIPTION_LANGUAGE: optionalText(
    'The language spoken, as en or de; empty: services find out.',
    '',
  ),
  REDACTION: oneOf(
    'What becomes of card numbers, ids, e-mail addresses and phone numbers in transcripts, before they are stored.',
    'mask',
    ['mask', 'remove', 'off'],
  ),
  AI_SERVICE_FAILURE_RATE: number('The share of requests that the mock AI fails.', '0.25', 0, 1),
  AI_SERVICE_MIN_LATENCY: number('The shortest answer time of the mock AI.', '1', 0, 600),
  AI_SERVICE_MAX_LATENCY: number('The longest answer time of the mock AI.', '3', 0, 600),
  AI_SEED: integer(
    'The seed of the mock AI: the same seed fails the same attempts.',
    '1',
    0,
    2 ** 32 - 1,
  ),
} as const

/** The names of all settings. */
export type SettingName = keyof typeof settings

type Parsed<S> = S extends { parse: (text: string) => infer T } ? Exclude<T, undefined> : never

/** The parsed settings, frozen. */
export type Config = { readonly [Name in SettingName]: Parsed<(typeof settings)[Name]> }

const pairs: readonly (readonly [smaller: SettingName, larger: SettingName])[] = [
  ['AI_SERVICE_MIN_LATENCY', 'AI_SERVICE_MAX_LATENCY'],
  ['RETRY_INITIAL_WAIT', 'RETRY_MAX_WAIT'],
  ['REDRIVE_INITIAL_WAIT', 'REDRIVE_MAX_WAIT'],
]

/**
 * Reads all settings from `environment`.
 * @throws StartupError that lists every wrong variable: its name, what it accepts and what came
 */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = []
  const values: Partial<Record<SettingName, string | number | readonly string[] | null>> = {}
  for (const [key, setting] of Object.entries(settings)) {
    const name = key as SettingName
    const came = environment[name]?.trim() || setting.fallback
    const value = setting.parse(came)
    if (value === undefined) {
      const shown = 'secret' in setting ? 'something else' : JSON.stringify(came)
      problems.push(`${name} must be ${setting.accepts}, but is ${shown}`)
    } else values[name] = value
  }
  for (const [smaller, larger] of pairs) {
    const [low, high] = [values[smaller], values[larger]]
    if (typeof low === 'number' && typeof high === 'number' && low > high)
      problems.push(`${smaller} must not be greater than ${larger} (${high}), but is ${low}`)
  }
  if (problems.length > 0) throw new StartupError(`Wrong settings:\n  ${problems.join('\n  ')}`)
  return Object.freeze(values) as Config
}

/** The text of `.env.example`: every setting with its meaning, what it accepts and its default. */
export function describeSettings(): string {
  const entries = Object.entries(settings).map(
    ([name, { about, accepts, fallback }]) =>
      `# ${about}\n# Accepts ${accepts}.\n#${name}=${fallback}\n`,
  )
  return [
    '# Settings of the AI PBX Gateway, with their defaults. Copy this file to .env and uncomment',
    '# what you change; the environment wins over .env. Times are in seconds.',
    '# Generated by `npm run generate`: edit src/config.ts instead.',
    '',
    ...entries,
  ].join('\n')
}
