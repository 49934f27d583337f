-- What the desk shows beside calls: what every gateway process did in the last hour; and calls can be erased.

-- A process of a gateway, as it last told. One that ends in order takes its row away.
CREATE TABLE gateways (
  id          text PRIMARY KEY,
  host        text NOT NULL,
  pid         integer NOT NULL,
  version     text NOT NULL,
  started_at  timestamptz NOT NULL,
  seen_at     timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- What a process did in a stretch of ten seconds. commit_times counts commits by how long they took: see
-- src/system/histogram.ts.
CREATE TABLE system_samples (
  at                 timestamptz NOT NULL,
  gateway            text NOT NULL,
  seconds            float8 NOT NULL,
  packets            bigint NOT NULL,
  lost_packets       bigint NOT NULL,
  commit_times       integer[] NOT NULL,
  own_calls          integer NOT NULL,
  sockets            integer NOT NULL,
  rss_bytes          bigint NOT NULL,
  event_loop_ms_p99  float8 NOT NULL,
  live_calls         bigint NOT NULL,
  analyses_running   integer NOT NULL,
  waiting            integer NOT NULL,
  PRIMARY KEY (at, gateway)
);
COMMENT ON COLUMN system_samples.own_calls IS 'calls of which the process stored packets in the stretch';
COMMENT ON COLUMN system_samples.live_calls IS 'of all gateways, as are analyses_running and waiting';

-- A call that was erased leaves one event behind: a transition from its last published status to none, of no call.
ALTER TABLE events
  ALTER COLUMN call DROP NOT NULL,
  ALTER COLUMN status DROP NOT NULL,
  ADD CONSTRAINT only_an_erased_call_has_no_status CHECK ((call IS NULL) = (status IS NULL)) NOT VALID;

CREATE INDEX announced_streams_by_call ON announced_streams (call_id);

-- Erases a call with all that is kept of it. No row for an unknown call; `erased` is false when it is in progress or
-- analysed and p_force is not set: then nothing is changed.
-- The publishers are kept out while events vanish, so positions stay as dense as they were. The lock is taken last:
-- what takes its time is deleted before.
CREATE FUNCTION erase_call(p_call_id text, p_force boolean)
RETURNS TABLE (status call_status, erased boolean) LANGUAGE plpgsql AS $$
DECLARE
  v_call calls;
  v_published call_status;
BEGIN
  SELECT * INTO v_call FROM calls WHERE calls.call_id = p_call_id COLLATE "C" FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  IF v_call.status IN ('IN_PROGRESS', 'PROCESSING_AI') AND NOT p_force THEN
    RETURN QUERY SELECT v_call.status, false;
    RETURN;
  END IF;
  DELETE FROM segments WHERE segments.call = v_call.id;
  DELETE FROM announced_streams WHERE announced_streams.call_id = v_call.call_id COLLATE "C";
  PERFORM FROM feed_head FOR UPDATE;
  SELECT events.status INTO v_published FROM events
  WHERE events.call = v_call.id AND events.kind = 'transition' AND events.position IS NOT NULL
  ORDER BY events.id DESC LIMIT 1;
  -- Tracks, spilled ranges, silences, streams, attempts, steps and events go with it.
  DELETE FROM calls WHERE calls.id = v_call.id;
  INSERT INTO events (call_id, kind, version, old_status)
  VALUES (v_call.call_id, 'transition', v_call.version + 1, v_published);
  RETURN QUERY SELECT v_call.status, true;
END
$$;

-- As before, and if somebody deletes events by hand meanwhile, the head is still where the last position is.
CREATE OR REPLACE FUNCTION publish_events(p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_head bigint;
  v_count integer;
  v_last bigint;
BEGIN
  SELECT position INTO v_head FROM feed_head FOR UPDATE;
  WITH pending AS (
    SELECT id, row_number() OVER (ORDER BY id) AS place
    FROM events WHERE position IS NULL ORDER BY id LIMIT p_limit
  ), published AS (
    UPDATE events SET position = v_head + pending.place
    FROM pending WHERE events.id = pending.id
    RETURNING events.position, kind, old_status, status
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
  SELECT count(*), max(published.position) INTO v_count, v_last FROM published;
  IF v_count > 0 THEN
    UPDATE feed_head SET position = v_last;
    PERFORM pg_notify('gateway_feed', v_last::text);
  END IF;
  RETURN v_count;
END
$$;
