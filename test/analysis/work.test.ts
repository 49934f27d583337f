// What is done for a call, step by step, with services of the test's own.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createHealth, type Health } from '../../src/analysis/health.ts'
import { workLost } from '../../src/analysis/keep-step.ts'
import { ProviderError } from '../../src/analysis/provider.ts'
import { NotNow } from '../../src/analysis/refusals.ts'
import type { MoodJudge, Summariser, Transcriber } from '../../src/analysis/service.ts'
import { type Claim, claimCalls } from '../../src/analysis/statements.ts'
import { workOn } from '../../src/analysis/work.ts'
import type { AnalysisProvider, WorkOptions } from '../../src/analysis/work-options.ts'
import type { Pool } from '../../src/database/pool.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { makeDue } from '../support/calls.ts'
import { claimOne, leaseSeconds } from '../support/claims.ts'
import { createDatabase } from '../support/database.ts'
import { workOptions } from '../support/work-options.ts'

const logger = createLogger({ level: 'silent', pretty: false })
const never = new AbortController().signal
const started: Health[] = []
after(() => Promise.all(started.map(({ stop }) => stop())))

/** What services were asked, in order: provider, step, key. */
type Asked = string[]

type Answers = {
  /** By track; an error is thrown. */
  readonly said?: Readonly<Record<string, string | Error>>
  readonly mood?: () => Error | undefined
  readonly summary?: () => Error | string
}

function service(
  name: string,
  asked: Asked,
  { said = {}, mood, summary }: Answers,
): AnalysisProvider {
  const transcriber: Transcriber = {
    name,
    longestUpload: { bytes: 1e6, seconds: 60 },
    transcribe: async ({ idempotencyKey }) => {
      asked.push(`${name} ${idempotencyKey.replace(/^claimed-\d+/, 'call')}`)
      const [, , track = ''] = idempotencyKey.split('/')
      const text = said[track] ?? new ProviderError('permanent', 'unreadable')
      if (typeof text !== 'string') throw text
      const use = { audioSeconds: 3, inputTokens: 7 }
      return { value: [{ start: 0, end: 3, text, confidence: 0.9 }], use, model: `${name}-1` }
    },
  }
  const moodJudge: MoodJudge = {
    name,
    judge: async ({ idempotencyKey, lines }) => {
      asked.push(`${name} ${idempotencyKey.replace(/^claimed-\d+/, 'call')} ${lines.length}`)
      const error = mood?.()
      if (error !== undefined) throw error
      return { value: { label: 'negative', score: -0.5 }, use: { inputTokens: 9 }, model: 'chat-1' }
    },
  }
  const summariser: Summariser = {
    name,
    summarise: async ({ idempotencyKey }) => {
      asked.push(`${name} ${idempotencyKey.replace(/^claimed-\d+/, 'call')}`)
      const reason = summary?.() ?? ''
      if (typeof reason !== 'string') throw reason
      return { value: { reason, outcome: 'Done.', nextStep: '' }, use: {}, model: 'chat-1' }
    },
  }
  return {
    name,
    ceiling: 9,
    ...(Object.keys(said).length > 0 && { transcriber }),
    ...(mood && { moodJudge }),
    ...(summary && { summariser }),
  }
}

async function optionsFor(
  pool: Pool,
  providers: readonly AnalysisProvider[],
  tracks: readonly ('inbound' | 'outbound')[] = ['inbound', 'outbound'],
): Promise<WorkOptions> {
  const health = createHealth({ pool, owner: 'one', expiresSeconds: 30, logger })
  started.push(health)
  await health.declare(providers)
  return workOptions({ pool, providers, health }, tracks)
}

/** The same call, claimed by another attempt. */
async function claimAgain(pool: Pool, { id }: Claim): Promise<Claim> {
  await makeDue(pool, id)
  const [claim] = await claimCalls(pool, 'other', 'mock', 1, leaseSeconds)
  assert.equal(claim?.id, id)
  return claim
}

async function stepsOf(pool: Pool, { id }: Claim): Promise<string[]> {
  const { rows } = await pool.query<{ line: string }>(
    `SELECT concat_ws(' ', step, nullif(track, ''), provider, model) AS line
     FROM analysis_steps WHERE call = $1 ORDER BY stored_at`,
    [id],
  )
  return rows.map(({ line }) => line)
}

const talk = { outbound: 'Good morning, how can I help you?', inbound: 'My bill is terrible.' }

test('each track is transcribed by itself, the agent first; then come mood and summary', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const asked: Asked = []
  const all = service('all', asked, {
    said: talk,
    mood: () => undefined,
    summary: () => 'A bill.',
  })
  const claim = await claimOne(pool)
  const result = await workOn(claim, await optionsFor(pool, [all]), never)
  assert.deepEqual(result, {
    transcription: `Agent: ${talk.outbound}\nCustomer: ${talk.inbound}`,
    sentiment: 'negative',
    summary: 'A bill. Done.',
  })
  assert.deepEqual(asked, [
    'all call/transcript/outbound',
    'all call/transcript/inbound',
    'all call/mood 2',
    'all call/summary',
  ])
  assert.deepEqual(await stepsOf(pool, claim), [
    'transcript outbound all all-1',
    'transcript inbound all all-1',
    'mood all chat-1',
    'summary all chat-1',
    'talk built-in',
  ])
})

test('a retry repeats the step that failed and no other, with the same key', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const asked: Asked = []
  const failing = new Set(['inbound', 'mood', 'summary'])
  const once = (step: string) =>
    failing.delete(step) ? new ProviderError('retryable', `${step} failed`) : undefined
  const all = service('all', asked, {
    said: {
      outbound: talk.outbound,
      get inbound() {
        return once('inbound') ?? talk.inbound
      },
    },
    mood: () => once('mood'),
    summary: () => once('summary') ?? 'A bill.',
  })
  const options = await optionsFor(pool, [all])
  let claim = await claimOne(pool)
  for (const step of ['inbound', 'mood', 'summary']) {
    await assert.rejects(workOn(claim, options, never), { message: `${step} failed` })
    claim = await claimAgain(pool, claim)
  }
  await workOn(claim, options, never)
  assert.deepEqual(asked, [
    'all call/transcript/outbound',
    'all call/transcript/inbound',
    'all call/transcript/inbound',
    'all call/mood 2',
    'all call/mood 2',
    'all call/summary',
    'all call/summary',
  ])
})

test('the next service does what the first cannot', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const asked: Asked = []
  const first = service('first', asked, {
    said: { outbound: talk.outbound, inbound: new ProviderError('permanent', 'unreadable') },
  })
  const second = service('second', asked, { said: talk })
  const claim = await claimOne(pool)
  await workOn(claim, await optionsFor(pool, [first, second]), never)
  assert.deepEqual(asked, [
    'first call/transcript/outbound',
    'first call/transcript/inbound',
    'second call/transcript/inbound',
  ])
  assert.deepEqual(await stepsOf(pool, claim), [
    'transcript outbound first first-1',
    'transcript inbound second second-1',
    'mood built-in',
    'summary built-in',
    'talk built-in',
  ])
})

test('an attempt that lost its lease in the middle stores nothing more', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const asked: Asked = []
  const claim = await claimOne(pool)
  const all = service('all', asked, { said: talk, mood: () => undefined })
  const options = await optionsFor(pool, [all])
  const slow = {
    ...options,
    isSwapped: async () => {
      await claimAgain(pool, claim)
      return false
    },
  }
  await assert.rejects(workOn(claim, slow, never), workLost)
  assert.deepEqual(await stepsOf(pool, claim), [
    'transcript outbound all all-1',
    'transcript inbound all all-1',
  ])
})

test('while no service may be asked an attempt ends as nobody’s failure, and what was done is kept', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const asked: Asked = []
  const ears = service('ears', asked, { said: talk })
  const chat = service('chat', asked, { mood: () => undefined })
  const options = await optionsFor(pool, [ears, chat])
  await pool.query(`SELECT stop_asking('chat', 'open', 'it is away', 60, true)`)
  const claim = await claimOne(pool)
  await assert.rejects(
    workOn(claim, options, never),
    (error) => error instanceof NotNow && /chat: it is away/.test(error.message),
  )
  assert.deepEqual(await stepsOf(pool, claim), [
    'transcript outbound ears ears-1',
    'transcript inbound ears ears-1',
  ])
})

test('a call without audio fails for good with a reason, and no service is asked', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const asked: Asked = []
  const options = await optionsFor(pool, [service('all', asked, { said: talk })], [])
  await assert.rejects(workOn(await claimOne(pool), options, never), {
    kind: 'permanent',
    message: 'No packet of the call holds audio that a provider could transcribe',
  })
  assert.deepEqual(asked, [])
})

test('nobody is asked for the mood and the summary of silence', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const asked: Asked = []
  const all = service('all', asked, { said: talk, mood: () => undefined, summary: () => 'x' })
  const silent: AnalysisProvider = {
    ...all,
    transcriber: {
      name: 'all',
      longestUpload: { bytes: 1e6, seconds: 60 },
      transcribe: async () => ({ value: [], use: {}, model: null }),
    },
  }
  const result = await workOn(await claimOne(pool), await optionsFor(pool, [silent]), never)
  assert.equal(result.sentiment, 'neutral')
  assert.deepEqual(asked, [])
})

test('whatever a service says can be stored, and is what it said', async () => {
  await using database = await createDatabase()
  const { pool } = database
  for (const text of ['a\0b', '\\u0000', '\\\\u0000 "', '\uD800 half', '\u2028', '{"$": 1}']) {
    const claim = await claimOne(pool)
    const options = await optionsFor(
      pool,
      [service('all', [], { said: { inbound: text } })],
      ['inbound'],
    )
    await workOn(claim, options, never)
    const { rows } = await pool.query<{ text: string }>(
      `SELECT result -> 'utterances' -> 0 ->> 'text' AS text FROM analysis_steps
       WHERE call = $1 AND step = 'transcript'`,
      [claim.id],
    )
    assert.equal(rows[0]?.text, text.replace('\0', '\uFFFD').toWellFormed())
  }
})

test('a digit run that the agent’s question explains is redacted, though the tracks are apart', async () => {
  await using database = await createDatabase()
  const { pool } = database
  const all = service('all', [], {
    said: {
      outbound: 'What is the security code on the back of your card?',
      inbound: 'It is 4 7 1.',
    },
  })
  const claim = await claimOne(pool)
  const { transcription } = await workOn(claim, await optionsFor(pool, [all]), never)
  assert.doesNotMatch(transcription, /4 7 1/)
})
