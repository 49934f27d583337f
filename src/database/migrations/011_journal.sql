-- The journal: packets that come a few at a time and simply go on where their track ends are kept in one row a batch,
-- whatever number of calls they belong to, and brought to their tracks and segments a little later, many at once
-- (docs/decisions/019).
--
-- A track belongs to at most one journal, and a journal to one queue of one process. While it does, nobody else adds
-- to the track, so its process knows without asking where it ends. Whoever wants more (another process, the end of
-- the call, an erasure) settles the journal and takes the track away.
--
-- Locks are taken in this order: calls, journals, tracks.

CREATE TABLE journals (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  settled_up_to bigint NOT NULL DEFAULT 0,
  settled_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  has_losses    boolean NOT NULL DEFAULT false
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

COMMENT ON TABLE journals IS
  'its row is locked FOR KEY SHARE to add, FOR NO KEY UPDATE to settle, FOR UPDATE to take tracks away';
COMMENT ON COLUMN journals.settled_up_to IS 'the last entry whose packets are in their tracks';
COMMENT ON COLUMN journals.has_losses IS 'there may be rows of it in journal_losses';

-- Packets of one batch. The arrays have an element for each.
CREATE TABLE journal_entries (
  journal     bigint NOT NULL,
  id          bigint GENERATED ALWAYS AS IDENTITY,
  received_at timestamptz NOT NULL,
  encoding    packet_encoding NOT NULL,
  calls       bigint[] NOT NULL,
  tracks      smallint[] NOT NULL,
  sequences   bigint[] NOT NULL,
  timestamps  float8[] NOT NULL,
  payloads    bytea[] NOT NULL,
  PRIMARY KEY (journal, id)
) WITH (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0);
-- Speech does not compress well enough to pay for trying.
ALTER TABLE journal_entries ALTER COLUMN payloads SET STORAGE EXTERNAL;

COMMENT ON COLUMN journal_entries.tracks IS 'places in enum_range(NULL::track_name), counted from 1';

-- Tracks that were taken away from a journal, which its process has not heard of yet.
CREATE TABLE journal_losses (
  journal bigint NOT NULL REFERENCES journals ON DELETE CASCADE,
  call    bigint NOT NULL,
  PRIMARY KEY (journal, call)
);

ALTER TABLE tracks ADD COLUMN journal bigint;
COMMENT ON COLUMN tracks.journal IS 'may have packets that are not in the account yet; nobody else adds to the track';

-- Gives tracks to a journal: those that miss nothing, of calls in progress. Returns where they go on.
CREATE FUNCTION hold_tracks(p_journal bigint, p_calls bigint[], p_tracks track_name[])
RETURNS TABLE (call bigint, track track_name, next bigint) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
  v_open bigint[];
BEGIN
  -- A call that is ending is locked.
  SELECT array_agg(open.id) INTO v_open FROM (
    SELECT calls.id FROM calls
    WHERE calls.id = ANY (p_calls) AND status = 'IN_PROGRESS' FOR SHARE SKIP LOCKED
  ) AS open;
  RETURN QUERY
    UPDATE tracks AS held SET journal = p_journal
    FROM (
      SELECT tracks.call, tracks.track
      FROM unnest(p_calls, p_tracks) AS wanted (call, track)
      JOIN tracks ON tracks.call = wanted.call AND tracks.track = wanted.track
      WHERE tracks.call = ANY (v_open) AND journal IS NULL AND NOT sealed AND horizon = 0
        AND received = int8multirange(
          int8range(CASE WHEN has_zero THEN 0 ELSE 1 END, upper(received)))
      FOR NO KEY UPDATE OF tracks SKIP LOCKED
    ) AS free
    WHERE held.call = free.call AND held.track = free.track
    RETURNING held.call, held.track, upper(held.received);
END
$$;

-- Makes a batch durable whose packets all go on where tracks of the journal end: entries of the packets p_firsts to
-- p_lasts, counted from 1, of which each should fit on a page.
--   stored  false: nothing was done, as tracks of it were taken away, or the journal itself is gone
--   lost    the calls whose tracks were taken away since this was last asked; NULL if none were
CREATE FUNCTION append_to_journal(
  p_journal bigint, p_encoding packet_encoding, p_firsts integer[], p_lasts integer[], p_calls bigint[],
  p_tracks smallint[], p_sequences bigint[], p_timestamps float8[], p_payloads bytea[],
  OUT stored boolean, OUT lost bigint[]
) LANGUAGE plpgsql
-- Who holds the journal's row is one of ours and settles it: there is no way round it.
SET lock_timeout = '10s'
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_has_losses boolean;
BEGIN
  SELECT has_losses INTO v_has_losses FROM journals WHERE id = p_journal FOR KEY SHARE;
  stored := FOUND;
  IF v_has_losses THEN
    WITH told AS (
      DELETE FROM journal_losses WHERE journal = p_journal RETURNING call
    )
    SELECT array_agg(call) INTO lost FROM told;
    stored := (lost && p_calls) IS NOT TRUE;
  END IF;
  IF stored THEN
    INSERT INTO journal_entries (
      journal, received_at, encoding, calls, tracks, sequences, timestamps, payloads)
    SELECT p_journal, clock_timestamp(), p_encoding, p_calls[first : last], p_tracks[first : last],
      p_sequences[first : last], p_timestamps[first : last], p_payloads[first : last]
    FROM unnest(p_firsts, p_lasts) AS entry (first, last);
  END IF;
END
$$;

-- Brings what is in a journal to the tracks and segments. Anybody may do so at any time. The packets of a track
-- become one segment.
CREATE FUNCTION settle_journal(p_journal bigint) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
  v_settled bigint;
  v_has_losses boolean;
  v_up_to bigint;
  v_strays bigint;
BEGIN
  SELECT settled_up_to, has_losses INTO v_settled, v_has_losses
  FROM journals WHERE id = p_journal FOR NO KEY UPDATE;
  WITH taken AS (
    DELETE FROM journal_entries WHERE journal = p_journal AND id > v_settled RETURNING *
  ), packets AS (
    SELECT packet.*, taken.encoding, taken.received_at
    FROM taken, unnest(calls, tracks, sequences, timestamps, payloads)
      AS packet (call, track, sequence, timestamp, payload)
  ), runs AS (
    SELECT call, (enum_range(NULL::track_name))[packets.track] AS track,
      min(encoding) AS encoding, max(received_at) AS received_at,
      min(sequence) AS first, max(sequence) AS last,
      array_agg(sequence ORDER BY sequence) AS sequences,
      array_agg(timestamp ORDER BY sequence) AS timestamps,
      array_agg(octet_length(payload) ORDER BY sequence) AS sizes,
      string_agg(payload, '' ORDER BY sequence) AS payload
    FROM packets GROUP BY call, packets.track
  ), accounted AS (
    UPDATE tracks SET
      received = tracks.received + int8multirange(int8range(first, last, '[]')),
      packets = tracks.packets + cardinality(sequences),
      last_packet_at = runs.received_at
    FROM runs
    WHERE tracks.call = runs.call AND tracks.track = runs.track AND tracks.journal = p_journal
      AND first = upper(tracks.received) AND last - first + 1 = cardinality(sequences)
    RETURNING runs.*
  ), written AS (
    INSERT INTO segments (call, track, first_sequence, last_sequence, received_at, encoding,
      sequences, timestamps, sizes, payload)
    SELECT call, track, first, last, received_at, encoding, sequences, timestamps, sizes, payload
    FROM accounted
  )
  SELECT (SELECT max(id) FROM taken), (SELECT count(*) FROM runs) - (SELECT count(*) FROM accounted)
  INTO v_up_to, v_strays;
  IF v_strays > 0 THEN
    RAISE EXCEPTION 'journal % has packets that do not go on where % tracks of it end', p_journal, v_strays
      USING ERRCODE = 'GW002';
  END IF;
  IF v_up_to IS NOT NULL THEN
    UPDATE journals SET
      settled_up_to = v_up_to,
      settled_at = clock_timestamp(),
      has_losses = v_has_losses AND EXISTS (SELECT FROM journal_losses WHERE journal = p_journal)
    WHERE id = p_journal;
  END IF;
END
$$;

-- Settles the journals that hold packets of a call, so that who reads next sees every acknowledged packet.
CREATE FUNCTION settle_call(p_call_id text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM settle_journal(held.journal) FROM (
    SELECT DISTINCT tracks.journal
    FROM calls JOIN tracks ON tracks.call = calls.id
    WHERE calls.call_id = p_call_id COLLATE "C" AND tracks.journal IS NOT NULL
    ORDER BY tracks.journal
  ) AS held;
END
$$;

-- Settles all journals that were not settled for so many seconds, also those of processes that are no more, and
-- forgets journals that nobody used for a day: should one be alive after all, its process is told by
-- append_to_journal(). Returns how many had something in them.
CREATE FUNCTION settle_journals(p_for float8 DEFAULT 0) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_journal bigint;
  v_settled integer := 0;
BEGIN
  FOR v_journal IN
    SELECT id FROM journals
    WHERE settled_at <= clock_timestamp() - make_interval(secs => p_for)
      AND EXISTS (SELECT FROM journal_entries AS entry
        WHERE entry.journal = journals.id AND entry.id > settled_up_to)
    ORDER BY id
  LOOP
    BEGIN
      PERFORM settle_journal(v_journal);
      v_settled := v_settled + 1;
    EXCEPTION WHEN SQLSTATE 'GW002' THEN
      -- A defect, which its own process reports. The others go on.
      RAISE WARNING '%', SQLERRM;
    END;
  END LOOP;
  FOR v_journal IN
    SELECT id FROM journals
    WHERE settled_at < clock_timestamp() - interval '1 day' FOR UPDATE SKIP LOCKED
  LOOP
    -- What was added until the row was locked is seen only by a statement that began later.
    DELETE FROM journals WHERE id = v_journal AND NOT EXISTS (
      SELECT FROM journal_entries AS entry
      WHERE entry.journal = v_journal AND entry.id > settled_up_to);
  END LOOP;
  RETURN v_settled;
END
$$;

-- Takes the tracks of calls away from their journals: what these hold of them is settled, and they add no more. A
-- journal is told, but for the one that asks (p_by), which knows. Returns the calls that had such tracks.
CREATE FUNCTION release_calls(p_calls bigint[], p_by bigint DEFAULT NULL) RETURNS bigint[]
LANGUAGE plpgsql
SET lock_timeout = '10s'
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  v_journals bigint[];
  v_released bigint[];
BEGIN
  SELECT array_agg(DISTINCT journal ORDER BY journal) INTO v_journals
  FROM tracks WHERE call = ANY (p_calls) AND journal IS NOT NULL;
  IF v_journals IS NULL THEN RETURN '{}'; END IF;
  PERFORM FROM journals WHERE id = ANY (v_journals) ORDER BY id FOR UPDATE;
  PERFORM settle_journal(journal) FROM unnest(v_journals) AS journal;
  WITH former AS (
    SELECT call, track, journal FROM tracks
    WHERE call = ANY (p_calls) AND journal = ANY (v_journals) FOR NO KEY UPDATE
  ), released AS (
    UPDATE tracks SET journal = NULL FROM former
    WHERE tracks.call = former.call AND tracks.track = former.track
    RETURNING former.call, former.journal
  ), told AS (
    INSERT INTO journal_losses (journal, call)
    SELECT DISTINCT released.journal, released.call
    FROM released JOIN journals ON journals.id = released.journal
    WHERE released.journal IS DISTINCT FROM p_by
    ON CONFLICT DO NOTHING
    RETURNING journal
  ), marked AS (
    UPDATE journals SET has_losses = true FROM told WHERE journals.id = told.journal
  )
  SELECT array_agg(DISTINCT call) INTO v_released FROM released;
  RETURN coalesce(v_released, '{}');
END
$$;

-- Settles a journal for the last time.
CREATE FUNCTION close_journal(p_journal bigint, p_calls bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM journals WHERE id = p_journal FOR UPDATE;
  PERFORM settle_journal(p_journal);
  UPDATE tracks SET journal = NULL WHERE call = ANY (p_calls) AND journal = p_journal;
  DELETE FROM journals WHERE id = p_journal;
END
$$;

-- When a call ends, nobody but those who lock its row adds to it any more.
CREATE FUNCTION release_ending_call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM release_calls(ARRAY[NEW.id]);
  RETURN NULL;
END
$$;

CREATE TRIGGER tracks_are_released_when_their_call_ends AFTER UPDATE OF status ON calls
  FOR EACH ROW WHEN (OLD.status = 'IN_PROGRESS' AND NEW.status <> 'IN_PROGRESS')
  EXECUTE FUNCTION release_ending_call();
