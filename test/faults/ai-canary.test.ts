// A card number is spoken, keyed in, and quoted by a model. It is searched for wherever a gateway writes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from '../../src/database/pool.ts'
import { startOpenAiServer } from '../support/ai/openai-server.ts'
import { createDatabase } from '../support/database.ts'
import { connectFeed } from '../support/feed-client.ts'
import { startGateway } from '../support/gateway.ts'
import { chunksOf, twilioMessages as messages } from '../support/json-media.ts'
import { connectMedia } from '../support/media-socket.ts'
import { until } from '../support/until.ts'

const spoken = 'four one one one, one one one one, one one one one, one one one one'
const digits = '4111111111111111'
/** Traces of the number, however it is spaced. */
const traces = [/(?:4[ ,.-]*)(?:1[ ,.-]*){15}/, /four (?:one[ ,]*){11}/i]

/** Everything that is written in a database but the packets themselves, as text. */
async function everythingIn(pool: Pool): Promise<string> {
  const { rows: columns } = await pool.query<{ table_name: string; column_name: string }>(
    `SELECT table_name, column_name FROM information_schema.columns
     JOIN information_schema.tables USING (table_schema, table_name)
     WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'segments'`,
  )
  const texts: string[] = []
  for (const { table_name, column_name } of columns) {
    const { rows } = await pool.query<{ all: string | null }>(
      `SELECT string_agg("${column_name}"::text, E'\\n') AS all FROM "${table_name}"`,
    )
    texts.push(rows[0]?.all ?? '')
  }
  // The keys of a call, one event each, make the number when they are put in a row.
  const { rows: keys } = await pool.query<{ row: string | null }>(
    `SELECT string_agg(value #>> '{}', '' ORDER BY events.id) AS row
     FROM events, jsonb_path_query(data, '$.**.digit') AS value WHERE kind = 'media'`,
  )
  return [...texts, keys[0]?.row ?? ''].join('\n')
}

for (const mode of ['off', 'mask', 'remove'] as const)
  test(`with REDACTION=${mode} the number is ${mode === 'off' ? 'there' : 'nowhere'}`, async (t) => {
    const server = await startOpenAiServer({
      hear: () => [
        { start: 0, end: 1, text: ' My card is four one one one, one one one one,' },
        { start: 1, end: 2, text: ' one one one one, one one one one.' },
        { start: 2, end: 3, text: ` Again: 4111 1111 1111 1111.` },
      ],
      complete: () =>
        JSON.stringify({
          label: 'neutral',
          score: 0,
          reason: `Pays with ${digits}.`,
          outcome: `The card ${spoken} was charged.`,
          next_step: '',
        }),
    })
    t.after(() => server.close())
    await using database = await createDatabase()
    const { pool } = database
    await using gateway = await startGateway(database.url, {
      AI_PROVIDERS: 'openai',
      OPENAI_BASE_URL: server.url,
      OPENAI_CHAT_MODEL: 'gpt-4o-mini',
      REDACTION: mode,
      LOG_LEVEL: 'trace',
    })
    await using supervisor = await connectFeed(gateway.url)
    using pbx = await connectMedia(gateway.url, '/media/twilio')
    pbx.send(messages.start('CA-canary'))
    for (const chunk of chunksOf('inbound', new Uint8Array(24_000).fill(0x40)))
      pbx.send(messages.media(chunk))
    for (const digit of digits) pbx.send(messages.dtmf(digit))
    pbx.send(messages.stop('CA-canary'))
    await until('it is archived', async () => {
      const { rows } = await pool.query(`SELECT FROM calls WHERE status = 'ARCHIVED'`)
      return rows.length === 1
    })
    await supervisor.sees('CA-canary', 'ARCHIVED')
    const replies: string[] = []
    for (const path of ['', '/transcript', '/transcript?format=srt', '/timeline', '/usage'])
      replies.push(await (await fetch(`${gateway.url}/v1/call/CA-canary${path}`)).text())
    const places = {
      'the database': await everythingIn(pool),
      'the log': JSON.stringify(gateway.log),
      'the feed': JSON.stringify(supervisor.messages),
      'the replies': replies.join('\n'),
    }
    const found = Object.entries(places).flatMap(([place, text]) =>
      traces.flatMap((trace) => {
        const [match] = trace.exec(text) ?? []
        return match === undefined ? [] : [`${place}: ${match}`]
      }),
    )
    if (mode === 'off') {
      assert.ok(found.filter((each) => each.startsWith('the database')).length === 2, `${found}`)
      assert.ok(found.some((each) => each.startsWith('the replies')))
    } else {
      assert.deepEqual(found, [])
      assert.match(replies[1] ?? '', /"class":"card"/)
    }
  })
