// Fills a database as years of calls would have: mostly analysed and archived, a tenth waiting for their analysis,
// each with its track, a segment, its events and its attempt. By SQL in bulk and past the triggers.
import pg from 'pg'

/** The share of the calls that wait. */
export const waitingShare = 0.1

const packets = 25

/** Call ids of what was filled in, by number from 1. */
export function filledCallId(number: number): string {
  return `filled-${String(number).padStart(7, '0')}`
}

// Every tenth call waits, since when it was completed: all of them are due. The calls are three a minute old.
const statements = [
  'SET session_replication_role = replica',
  // What is filled in is no commit that anybody waits for.
  'SET synchronous_commit = off',
  `INSERT INTO calls (call_id, status, version, created_at, updated_at, due_at, completed_at,
     completion_cause, sealed_at, lease_token, attempts, transcription, sentiment, summary, ai_processed_at)
   SELECT 'filled-' || lpad(number::text, 7, '0'),
     (CASE WHEN waits THEN 'COMPLETED' ELSE 'ARCHIVED' END)::call_status,
     CASE WHEN waits THEN 2 ELSE 4 END,
     began, CASE WHEN waits THEN ended ELSE ended + interval '5 s' END,
     CASE WHEN waits THEN ended END, ended, 'endpoint',
     CASE WHEN NOT waits THEN ended END, CASE WHEN waits THEN 0 ELSE 1 END,
     CASE WHEN waits THEN 0 ELSE 1 END,
     CASE WHEN NOT waits THEN 'Customer: ' || repeat('I would like to talk about my contract. ', 5) END,
     CASE WHEN NOT waits THEN 'positive' END,
     CASE WHEN NOT waits THEN 'The customer asked about contract ' || number || '.' END,
     CASE WHEN NOT waits THEN ended + interval '5 s' END
   FROM (SELECT number, number % 10 = 0 AS waits, began, began + interval '60 s' AS ended
         FROM (SELECT number, now() - ($1 - number + 60) * interval '20 ms' - interval '3 min' AS began
               FROM generate_series(1, $1::integer) AS number) AS numbers) AS filled`,
  `INSERT INTO tracks (call, track, received, has_zero, packets, duplicates, late,
     first_packet_at, last_packet_at)
   SELECT id, 'mixed', int8multirange(int8range(1, ${packets} + 1)), false, ${packets}, 0, 0,
     created_at, completed_at
   FROM calls`,
  `INSERT INTO segments (call, track, first_sequence, last_sequence, received_at, encoding, sequences,
     timestamps, sizes, payload)
   SELECT id, 'mixed', 1, ${packets}, created_at, 'text', NULL,
     (SELECT array_agg(n::float8 ORDER BY n) FROM generate_series(1, ${packets}) AS n),
     ARRAY[8], decode(repeat('61', 8 * ${packets}), 'hex')
   FROM calls`,
  `INSERT INTO attempts (call, number, provider, lease_owner, lease_token, started_at, ended_at, outcome)
   SELECT id, 1, 'mock', 'filled', 1, completed_at, ai_processed_at, 'succeeded'
   FROM calls WHERE status = 'ARCHIVED'`,
  `INSERT INTO events (position, call, call_id, kind, version, old_status, status, data, created_at)
   SELECT row_number() OVER (ORDER BY id, step), id, call_id, kind, event.version,
     old_status::call_status, event.status::call_status, data::jsonb, created_at
   FROM calls JOIN (VALUES
     (1, 'transition', 1, NULL, 'IN_PROGRESS', '{}', true),
     (2, 'transition', 2, 'IN_PROGRESS', 'COMPLETED', '{"cause":"endpoint"}', true),
     (3, 'transition', 3, 'COMPLETED', 'PROCESSING_AI', '{"attempt":1}', false),
     (4, 'result', 3, NULL, 'PROCESSING_AI', '{}', false),
     (5, 'transition', 4, 'PROCESSING_AI', 'ARCHIVED', '{}', false)
   ) AS event (step, kind, version, old_status, status, data, of_all)
     ON of_all OR calls.status = 'ARCHIVED'`,
  'UPDATE feed_head SET position = (SELECT coalesce(max(position), 0) FROM events)',
  `UPDATE status_counts SET calls = stored.calls
   FROM (SELECT status, count(*) AS calls FROM calls GROUP BY status) AS stored
   WHERE status_counts.status = stored.status`,
]

/** Fills a migrated, empty database that nobody uses with so many calls. */
export async function fillDatabase(url: string, calls: number): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    for (const text of statements) await client.query(text, text.includes('$1') ? [calls] : [])
    // As autovacuum leaves it.
    await client.query('VACUUM ANALYZE')
    await client.query('CHECKPOINT')
  } finally {
    await client.end()
  }
}
