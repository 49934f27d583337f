-- A call, its states and the log of everything that happened to it.

-- The checksum of every migration that was applied, to find out when a shipped one was edited.
CREATE TABLE migration_checksums (
  name   text PRIMARY KEY,
  sha256 text NOT NULL
);

CREATE TYPE call_status AS ENUM ('IN_PROGRESS', 'COMPLETED', 'PROCESSING_AI', 'FAILED', 'ARCHIVED');

-- The row of a call is also its job: `due_at` is when its next step is due, whoever takes it.
--   IN_PROGRESS               silence is checked            (completes the call)
--   COMPLETED, no result      the grace is over             (analysis claims it)
--   COMPLETED, with a result  its rest is over              (archived)
--   PROCESSING_AI             the lease or the backoff ends (analysis claims it again)
--   FAILED                    re-drive                      (analysis claims it anew)
CREATE TABLE calls (
  id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  call_id          text COLLATE "C" NOT NULL UNIQUE,
  status           call_status NOT NULL DEFAULT 'IN_PROGRESS',
  version          integer NOT NULL DEFAULT 1,
  created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  due_at           timestamptz,
  completed_at     timestamptz,
  completion_cause text,
  sealed_at        timestamptz,
  lease_owner      text,
  lease_token      bigint NOT NULL DEFAULT 0,
  attempts         integer NOT NULL DEFAULT 0,
  burst_attempts   integer NOT NULL DEFAULT 0,
  redrives         integer NOT NULL DEFAULT 0,
  transcription    text,
  sentiment        text CHECK (sentiment IN ('positive', 'neutral', 'negative', 'mixed')),
  summary          text,
  ai_processed_at  timestamptz,
  error_message    text,
  CONSTRAINT nothing_waits_without_a_deadline
    CHECK (due_at IS NOT NULL OR status IN ('FAILED', 'ARCHIVED')),
  CONSTRAINT archived_is_over CHECK (status <> 'ARCHIVED' OR due_at IS NULL)
) WITH (fillfactor = 70);

COMMENT ON COLUMN calls.sealed_at IS 'since when no new packet is taken: the analysis has read the audio';
COMMENT ON COLUMN calls.lease_token IS 'fencing: each claim raises it, and a result counts only with the newest';
COMMENT ON COLUMN calls.burst_attempts IS 'failed attempts since the call last entered PROCESSING_AI that count';

CREATE INDEX calls_by_status ON calls (status, id);
CREATE INDEX calls_awaiting_analysis ON calls (due_at)
  WHERE ai_processed_at IS NULL AND status IN ('COMPLETED', 'PROCESSING_AI', 'FAILED');
CREATE INDEX calls_awaiting_silence_or_archive ON calls (due_at)
  WHERE status = 'IN_PROGRESS' OR (status = 'COMPLETED' AND ai_processed_at IS NOT NULL);

-- Every attempt to analyse a call, for the operator who asks why.
CREATE TABLE attempts (
  call        bigint NOT NULL REFERENCES calls ON DELETE CASCADE,
  number      integer NOT NULL,
  provider    text NOT NULL,
  lease_owner text NOT NULL,
  lease_token bigint NOT NULL,
  started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at    timestamptz,
  outcome     text CHECK (outcome IN
                ('succeeded', 'retryable', 'outage', 'permanent', 'released', 'lost')),
  error       text,
  PRIMARY KEY (call, number),
  CONSTRAINT an_ended_attempt_has_an_outcome CHECK ((ended_at IS NULL) = (outcome IS NULL))
);

COMMENT ON COLUMN attempts.outcome IS
  'released: given back at a shutdown; lost: the process holding the lease vanished';

-- The event log. An event is written in the transaction of what it tells of, without a position;
-- publish_events() gives positions afterwards, one publisher at a time, so that positions become
-- visible in their order and a reader of `position > n` can miss none.
CREATE TABLE events (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  position   bigint UNIQUE,
  call       bigint NOT NULL REFERENCES calls ON DELETE CASCADE,
  call_id    text COLLATE "C" NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('transition', 'result', 'attempt')),
  version    integer NOT NULL,
  old_status call_status,
  status     call_status NOT NULL,
  data       jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX events_by_call ON events (call, id);
CREATE INDEX events_to_publish ON events (id) WHERE position IS NULL;

-- One row: the mutex of the publishers and the counter of positions in one.
CREATE TABLE feed_head (
  single   boolean PRIMARY KEY DEFAULT true CHECK (single),
  position bigint NOT NULL DEFAULT 0
);
INSERT INTO feed_head DEFAULT VALUES;

-- Calls per status as of the published events: counts in constant time, however many calls are stored.
CREATE TABLE status_counts (
  status call_status PRIMARY KEY,
  calls  bigint NOT NULL DEFAULT 0
);
INSERT INTO status_counts (status) SELECT unnest(enum_range(NULL::call_status));

CREATE FUNCTION is_legal_transition(p_from call_status, p_to call_status, p_has_result boolean)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE p_from
    WHEN 'IN_PROGRESS' THEN p_to IN ('COMPLETED', 'FAILED')
    WHEN 'COMPLETED' THEN p_to = 'ARCHIVED' OR (p_to = 'PROCESSING_AI' AND NOT p_has_result)
    WHEN 'PROCESSING_AI' THEN
      p_to = 'COMPLETED' OR (p_to = 'ARCHIVED' AND p_has_result) OR (p_to = 'FAILED' AND NOT p_has_result)
    WHEN 'FAILED' THEN p_to = 'ARCHIVED' OR (p_to = 'PROCESSING_AI' AND NOT p_has_result)
    ELSE false
  END
$$;

-- The only way to change a status: checks the edge, raises the version, sets when the next step is due
-- and appends the event. The caller holds the row's lock.
CREATE FUNCTION transition_call(
  p_call bigint, p_to call_status, p_due_at timestamptz, p_data jsonb DEFAULT '{}'
) RETURNS void LANGUAGE plpgsql SET gateway.in_transition = 'yes' AS $$
DECLARE
  v_call calls;
BEGIN
  SELECT * INTO STRICT v_call FROM calls WHERE id = p_call FOR NO KEY UPDATE;
  IF NOT is_legal_transition(v_call.status, p_to, v_call.ai_processed_at IS NOT NULL) THEN
    RAISE EXCEPTION 'call % cannot go from % to %', v_call.call_id, v_call.status, p_to
      USING ERRCODE = 'GW001';
  END IF;
  UPDATE calls SET
    status = p_to,
    version = v_call.version + 1,
    updated_at = clock_timestamp(),
    due_at = p_due_at
  WHERE id = p_call;
  INSERT INTO events (call, call_id, kind, version, old_status, status, data)
  VALUES (p_call, v_call.call_id, 'transition', v_call.version + 1, v_call.status, p_to, p_data);
END
$$;

CREATE FUNCTION refuse_other_status_writes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status = 'IN_PROGRESS' AND NEW.version = 1 THEN RETURN NEW; END IF;
    RAISE EXCEPTION 'a call starts IN_PROGRESS, at version 1' USING ERRCODE = 'GW001';
  END IF;
  IF NEW.status = OLD.status AND NEW.version = OLD.version THEN RETURN NEW; END IF;
  IF current_setting('gateway.in_transition', true) = 'yes' THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'the status of a call is changed by transition_call() only' USING ERRCODE = 'GW001';
END
$$;

CREATE TRIGGER status_is_changed_by_transition_call_only
  BEFORE INSERT OR UPDATE OF status, version ON calls
  FOR EACH ROW EXECUTE FUNCTION refuse_other_status_writes();

CREATE FUNCTION publish_events(p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_head bigint;
  v_count integer;
BEGIN
  SELECT position INTO v_head FROM feed_head FOR UPDATE;
  WITH pending AS (
    SELECT id, row_number() OVER (ORDER BY id) AS place
    FROM events WHERE position IS NULL ORDER BY id LIMIT p_limit
  ), published AS (
    UPDATE events SET position = v_head + pending.place
    FROM pending WHERE events.id = pending.id
    RETURNING kind, old_status, status
  ), changes AS (
    SELECT change.status, sum(change.calls) AS calls
    FROM published, LATERAL (VALUES (published.status, 1), (published.old_status, -1))
      AS change (status, calls)
    WHERE kind = 'transition' AND change.status IS NOT NULL
    GROUP BY change.status
  ), counted AS (
    UPDATE status_counts SET calls = status_counts.calls + changes.calls
    FROM changes WHERE status_counts.status = changes.status
  )
  SELECT count(*) INTO v_count FROM published;
  IF v_count > 0 THEN
    UPDATE feed_head SET position = v_head + v_count;
    PERFORM pg_notify('gateway_feed', (v_head + v_count)::text);
  END IF;
  RETURN v_count;
END
$$;
