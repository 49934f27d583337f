// Settings: defaults, what each accepts, and how mistakes are told.
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { suite, test } from 'node:test'
import { parseConfig, type SettingName, settings } from '../src/config.ts'
import { StartupError } from '../src/errors.ts'

/** What users rely on: the names and defaults of the environment. */
const defaults = {
  DATABASE_URL: null,
  DATA_DIR: './data',
  APP_HOST: '127.0.0.1',
  APP_PORT: 8000,
  WORKERS: 1,
  AUDIOSOCKET_PORT: 'auto',
  PUBLIC_URL: null,
  TWILIO_AUTH_TOKEN: null,
  FONOSTER_ACCESS_KEY_SECRET: null,
  GENESYS_API_KEY: null,
  GENESYS_CLIENT_SECRET: null,
  RECONNECT_GRACE_SECONDS: 10,
  LOG_LEVEL: 'info',
  ALLOW_UNSAFE_DATABASE: 'false',
  PACKET_TIMEOUT_SECONDS: 300,
  PACKET_PATIENCE_SECONDS: 0.04,
  COMPLETION_GRACE_SECONDS: 2.5,
  ARCHIVE_AFTER_SECONDS: 0,
  ANALYSIS_CONCURRENCY: 64,
  ANALYSIS_TIMEOUT_SECONDS: 120,
  ANALYSIS_DEADLINE_SECONDS: 1_800,
  ANALYSIS_LEASE_SECONDS: 6,
  MAX_RETRY_ATTEMPTS: 5,
  RETRY_INITIAL_WAIT: 1,
  RETRY_MAX_WAIT: 60,
  REDRIVE_INITIAL_WAIT: 300,
  REDRIVE_MAX_WAIT: 21_600,
  REDRIVE_HORIZON: 259_200,
  AI_PROVIDERS: ['mock'],
  OPENAI_BASE_URL: 'https://api.openai.com/v1',
  OPENAI_API_KEY: null,
  OPENAI_TRANSCRIPTION_MODEL: 'whisper-1',
  OPENAI_CHAT_MODEL: '',
  OPENAI_CONCURRENCY: 16,
  WHISPER_BASE_URL: 'http://127.0.0.1:8080/v1',
  WHISPER_MODEL: 'whisper-1',
  WHISPER_API_KEY: null,
  WHISPER_CONCURRENCY: 1,
  DEEPGRAM_BASE_URL: 'https://api.deepgram.com',
  DEEPGRAM_API_KEY: null,
  DEEPGRAM_MODEL: 'nova-3',
  DEEPGRAM_CONCURRENCY: 32,
  TRANSCRIPTION_LANGUAGE: '',
  REDACTION: 'mask',
  AI_SERVICE_FAILURE_RATE: 0.25,
  AI_SERVICE_MIN_LATENCY: 1,
  AI_SERVICE_MAX_LATENCY: 3,
  AI_SEED: 1,
}

/** The lowest and highest value of every number; what is next to them is refused. */
const bounds: readonly (readonly [SettingName, min: number, max: number, step: number])[] = [
  ['APP_PORT', 0, 65_535, 1],
  ['WORKERS', 1, 64, 1],
  ['RECONNECT_GRACE_SECONDS', 0, 3600, 0.01],
  ['PACKET_TIMEOUT_SECONDS', 0.1, 86_400, 0.01],
  ['PACKET_PATIENCE_SECONDS', 0.001, 60, 0.01],
  ['COMPLETION_GRACE_SECONDS', 0, 3600, 0.01],
  ['ARCHIVE_AFTER_SECONDS', 0, 2_592_000, 0.01],
  ['ANALYSIS_CONCURRENCY', 1, 10_000, 1],
  ['ANALYSIS_TIMEOUT_SECONDS', 0.1, 3600, 0.01],
  ['ANALYSIS_DEADLINE_SECONDS', 0.1, 86_400, 0.01],
  ['ANALYSIS_LEASE_SECONDS', 0.5, 600, 0.01],
  ['MAX_RETRY_ATTEMPTS', 1, 100, 1],
  ['RETRY_INITIAL_WAIT', 0, 3600, 0.01],
  ['RETRY_MAX_WAIT', 0, 86_400, 0.01],
  ['REDRIVE_INITIAL_WAIT', 0, 86_400, 0.01],
  ['REDRIVE_MAX_WAIT', 0, 2_592_000, 0.01],
  ['REDRIVE_HORIZON', 0, 31_536_000, 0.01],
  ['OPENAI_CONCURRENCY', 1, 10_000, 1],
  ['WHISPER_CONCURRENCY', 1, 10_000, 1],
  ['DEEPGRAM_CONCURRENCY', 1, 10_000, 1],
  ['AI_SERVICE_FAILURE_RATE', 0, 1, 0.01],
  ['AI_SERVICE_MIN_LATENCY', 0, 600, 0.01],
  ['AI_SERVICE_MAX_LATENCY', 0, 600, 0.01],
  ['AI_SEED', 0, 4_294_967_295, 1],
]

/** Other settings that must go along, so that a pair is in order. */
const partners: Partial<Record<SettingName, Record<string, string>>> = {
  RETRY_INITIAL_WAIT: { RETRY_MAX_WAIT: '86400' },
  RETRY_MAX_WAIT: { RETRY_INITIAL_WAIT: '0' },
  REDRIVE_INITIAL_WAIT: { REDRIVE_MAX_WAIT: '2592000' },
  REDRIVE_MAX_WAIT: { REDRIVE_INITIAL_WAIT: '0' },
  AI_SERVICE_MIN_LATENCY: { AI_SERVICE_MAX_LATENCY: '600' },
  AI_SERVICE_MAX_LATENCY: { AI_SERVICE_MIN_LATENCY: '0' },
}

/** The problems that are reported, a line each. */
function problemsOf(environment: Record<string, string>): string[] {
  try {
    parseConfig(environment)
  } catch (error) {
    assert.ok(error instanceof StartupError)
    const [title, ...problems] = error.message.split('\n')
    assert.equal(title, 'Wrong settings:')
    return problems.map((line) => line.trim())
  }
  return []
}

test('without an environment every setting has its default, and there are no others', () => {
  assert.deepEqual(parseConfig({}), defaults)
  assert.deepEqual(Object.keys(settings), Object.keys(defaults))
})

test('an empty or blank value is the default', () => {
  const blank = Object.keys(defaults).map((name, index) => [name, index % 2 === 0 ? '' : ' \t'])
  assert.deepEqual(parseConfig(Object.fromEntries(blank)), defaults)
})

test('variables of others are nobody’s business', () => {
  assert.deepEqual(parseConfig({ PATH: '/bin', APP_PROT: '1', database_url: 'x' }), defaults)
})

test('settings cannot be changed afterwards', () => {
  const config = parseConfig({})
  assert.ok(Object.isFrozen(config))
  assert.throws(() => Object.assign(config, { APP_PORT: 1 }), TypeError)
  assert.equal(config.APP_PORT, 8000)
})

suite('a number', () => {
  test('is what every setting in the table of bounds is, and no other', () => {
    const numbers = Object.entries(defaults).filter(([, value]) => typeof value === 'number')
    assert.deepEqual(
      bounds.map(([name]) => name),
      numbers.map(([name]) => name),
    )
  })

  for (const [name, min, max, step] of bounds)
    test(`${name} is accepted from ${min} to ${max} and refused beyond`, () => {
      const partner = partners[name] ?? {}
      const kind = step === 1 ? 'a whole number' : 'a number'
      const or = name === 'WORKERS' ? ', or auto' : ''
      for (const value of [min, max])
        assert.equal(parseConfig({ ...partner, [name]: ` ${value} ` })[name], value)
      for (const value of [min - step, max + step])
        assert.deepEqual(problemsOf({ ...partner, [name]: String(value) }), [
          `${name} must be ${kind} from ${min} to ${max}${or}, but is "${value}"`,
        ])
    })

  test('of WORKERS may be the word auto: one for each core, of at most 64', () => {
    const cores = Math.min(availableParallelism(), 64)
    assert.equal(parseConfig({ WORKERS: ' auto ' }).WORKERS, cores)
    assert.equal(problemsOf({ WORKERS: 'AUTO' }).length, 1)
    assert.equal(problemsOf({ APP_PORT: 'auto' }).length, 1)
  })

  for (const text of [
    'ten',
    '1,5',
    '5s',
    '0x10',
    'NaN',
    'Infinity',
    '1e999',
    '1 2',
    '--1',
    '1_000',
  ])
    test(`${JSON.stringify(text)} is none`, () => {
      for (const [name] of bounds) {
        const [problem, ...more] = problemsOf({ [name]: text })
        assert.ok(problem?.startsWith(`${name} must be a`), problem)
        assert.ok(problem?.endsWith(`but is ${JSON.stringify(text)}`), problem)
        assert.deepEqual(more, [])
      }
    })

  test('may be written with a fraction or an exponent, unless it must be whole', () => {
    assert.equal(parseConfig({ AI_SERVICE_FAILURE_RATE: '.5' }).AI_SERVICE_FAILURE_RATE, 0.5)
    assert.equal(parseConfig({ REDRIVE_HORIZON: '1e3' }).REDRIVE_HORIZON, 1000)
    for (const [name, , , step] of bounds)
      if (step === 1)
        for (const text of ['1.5', '1.0', '1e1'])
          assert.deepEqual(problemsOf({ [name]: text }).length, 1, `${name}=${text}`)
  })
})

suite('a choice', () => {
  test('is one of the words, written exactly', () => {
    const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']
    for (const level of levels) assert.equal(parseConfig({ LOG_LEVEL: level }).LOG_LEVEL, level)
    for (const text of ['loud', 'INFO', 'inf', '0', 'constructor'])
      assert.deepEqual(problemsOf({ LOG_LEVEL: text }), [
        `LOG_LEVEL must be one of ${levels.join(', ')}, but is "${text}"`,
      ])
  })

  test('that allows an unsafe database is never taken by mistake', () => {
    assert.equal(parseConfig({ ALLOW_UNSAFE_DATABASE: 'true' }).ALLOW_UNSAFE_DATABASE, 'true')
    for (const text of ['yes', '1', 'TRUE', 'on'])
      assert.deepEqual(problemsOf({ ALLOW_UNSAFE_DATABASE: text }), [
        `ALLOW_UNSAFE_DATABASE must be one of false, true, but is "${text}"`,
      ])
  })
})

suite('DATABASE_URL', () => {
  const rest = 'gateway:p%40ss@db.example:5433/calls?sslmode=require'

  for (const scheme of ['postgres', 'postgresql', 'postgresql+asyncpg', 'postgres+psycopg2'])
    test(`is accepted as ${scheme}://, and all of it is kept`, () => {
      assert.equal(
        parseConfig({ DATABASE_URL: `${scheme}://${rest}` }).DATABASE_URL,
        `postgresql://${rest}`,
      )
    })

  const secret = 'hunter2'
  for (const url of [
    `mysql://gateway:${secret}@db/calls`,
    `gateway:${secret}@db/calls`,
    `postgres:/gateway:${secret}@db/calls`,
    `http://db/?next=postgresql://gateway:${secret}@db/calls`,
    `postgresql://gateway:${secret}@db:port/calls`,
    secret,
  ])
    test(`is refused as ${url.replace(secret, '…')}, and not shown`, () => {
      const problems = problemsOf({ DATABASE_URL: url, APP_PORT: 'x' })
      assert.deepEqual(problems.length, 2)
      assert.match(
        String(problems[0]),
        /^DATABASE_URL must be postgres:\/\/.*, but is something else$/,
      )
      assert.ok(!problems.join().includes(secret))
    })
})

suite('mistakes', () => {
  test('are all reported at once, each by name, in the order of the settings', () => {
    const anyText = /^(DATA_DIR|APP_HOST|TRANSCRIPTION_LANGUAGE)$|_(TOKEN|SECRET|KEY|MODEL)$/
    const wrong = Object.keys(defaults).filter((name) => !anyText.test(name))
    const problems = problemsOf(Object.fromEntries(wrong.map((name) => [name, 'wrong'])))
    assert.deepEqual(
      problems.map((problem) => problem.split(' ')[0]),
      wrong,
    )
  })

  const pairs: readonly (readonly [string, string, number])[] = [
    ['AI_SERVICE_MIN_LATENCY', 'AI_SERVICE_MAX_LATENCY', 3],
    ['RETRY_INITIAL_WAIT', 'RETRY_MAX_WAIT', 60],
    ['REDRIVE_INITIAL_WAIT', 'REDRIVE_MAX_WAIT', 21_600],
  ]
  for (const [smaller, larger, fallback] of pairs)
    test(`${smaller} above ${larger} is one, also when one of them is a default`, () => {
      assert.deepEqual(problemsOf({ [smaller]: '5', [larger]: '4' }), [
        `${smaller} must not be greater than ${larger} (4), but is 5`,
      ])
      assert.deepEqual(problemsOf({ [smaller]: '5', [larger]: '5' }), [])
      const above = String(fallback + 0.5)
      assert.deepEqual(problemsOf({ [smaller]: above }), [
        `${smaller} must not be greater than ${larger} (${fallback}), but is ${above}`,
      ])
      assert.equal(problemsOf({ [smaller]: 'x', [larger]: '0' }).length, 1, 'told once')
    })
})
