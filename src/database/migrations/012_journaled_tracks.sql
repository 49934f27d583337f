-- What looks at tracks or adds to them minds the journals: functions as they were, but for the lines named.

-- Tracks of a journal are left out.
CREATE OR REPLACE FUNCTION append_packets(
  p_calls bigint[], p_tracks track_name[], p_encodings packet_encoding[],
  p_firsts integer[], p_lasts integer[], p_starts integer[], p_lengths integer[],
  p_received int8multirange[], p_repeats integer[], p_late integer[],
  p_sequences bigint[], p_timestamps float8[], p_sizes integer[], p_payload bytea,
  OUT stored integer, OUT ordinals integer[], OUT unusual json
) LANGUAGE plpgsql
SET lock_timeout = '50ms'
-- One plan for ever, by index: one made while the tables are small must not scan them when they are not.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
  WITH appended AS (
    UPDATE tracks AS account SET
      received = account.received + batch.received,
      packets = account.packets + last - first + 1,
      duplicates = account.duplicates + batch.repeats,
      late = account.late + batch.late,
      last_packet_at = clock_timestamp()
    FROM unnest(p_calls, p_tracks, p_encodings, p_firsts, p_lasts, p_starts, p_lengths, p_received,
        p_repeats, p_late) WITH ORDINALITY
      AS batch (call, track, encoding, first, last, start, length, received, repeats, late, ordinal)
    WHERE account.call = batch.call AND account.track = batch.track AND NOT account.sealed
      AND account.journal IS NULL
      AND lower(batch.received) >= upper(account.received)
      -- The bounds alone of 1,001 ranges take 16 kB: from there on the oldest are spilled.
      AND pg_column_size(account.received + batch.received) < 16000
    RETURNING batch.*, account.received AS now_received, account.horizon, account.has_zero,
      account.horizon = 0 AND batch.repeats = 0 AND batch.late = 0
        AND lower(account.received) <= 1
        AND range_merge(account.received)::int8multirange = account.received AS is_usual
  ), written AS (
    INSERT INTO segments (call, track, first_sequence, last_sequence, encoding,
      sequences, timestamps, sizes, payload)
    SELECT call, track, lower(received), upper(received) - 1, encoding,
      p_sequences[first : last], p_timestamps[first : last], p_sizes[first : last],
      substring(p_payload FROM start FOR length)
    FROM appended
  )
  SELECT count(*), CASE WHEN count(*) < cardinality(p_calls) THEN coalesce(array_agg(ordinal), '{}') END,
    json_agg(json_build_array(ordinal, now_received - received, horizon, has_zero))
      FILTER (WHERE NOT is_usual)
  INTO stored, ordinals, unusual
  FROM appended;
END
$$;

-- Tracks of a journal are taken away from it.
CREATE OR REPLACE FUNCTION commit_packets(
  p_call_ids text[], p_tracks track_name[], p_encodings packet_encoding[],
  p_firsts integer[], p_lasts integer[], p_starts integer[], p_lengths integer[],
  p_received int8multirange[], p_repeats integer[], p_late integer[],
  p_sequences bigint[], p_timestamps float8[], p_sizes integer[], p_payload bytea,
  p_packet_timeout float8
) RETURNS SETOF stored_group LANGUAGE plpgsql
-- One plan for ever, by index: one made while the tables are small must not scan them when they are not.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
  v_calls bigint[];
  v_sealed boolean[];
  v_created boolean[];
  v_unknown boolean;
  v_results stored_group[];
  v_result stored_group;
  v_done boolean[] := array_fill(false, ARRAY[cardinality(p_call_ids)]);
  v_rest stored_group[];
  v_swollen stored_group[];
BEGIN
  FOR v_round IN 1..2 LOOP
    SELECT array_agg(locked.id ORDER BY ordinal), array_agg(locked.sealed ORDER BY ordinal),
      array_agg(locked.created ORDER BY ordinal), bool_or(locked.id IS NULL)
    INTO v_calls, v_sealed, v_created, v_unknown
    FROM unnest(p_call_ids) WITH ORDINALITY AS wanted (call_id, ordinal)
    LEFT JOIN LATERAL (
      SELECT id, sealed_at IS NOT NULL AS sealed,
        v_round = 2 AND calls.xmin = pg_current_xact_id()::xid AS created
      FROM calls
      WHERE calls.call_id = wanted.call_id COLLATE "C"
      FOR NO KEY UPDATE SKIP LOCKED
    ) AS locked ON true;
    EXIT WHEN v_round = 2 OR NOT v_unknown;

    WITH created AS (
      INSERT INTO calls (call_id, due_at)
      SELECT DISTINCT new.call_id, clock_timestamp() + make_interval(secs => p_packet_timeout)
      FROM unnest(p_call_ids) AS new (call_id)
      WHERE NOT EXISTS (SELECT FROM calls WHERE calls.call_id = new.call_id COLLATE "C")
      ORDER BY new.call_id
      ON CONFLICT DO NOTHING
      RETURNING id, call_id, version, status
    )
    INSERT INTO events (call, call_id, kind, version, status)
    SELECT id, call_id, 'transition', version, status FROM created;
  END LOOP;

  -- Tracks of a journal are taken away from it; while the calls are locked, they are given to no other.
  PERFORM release_calls(held.calls) FROM (
    SELECT array_agg(tracks.call) AS calls
    FROM unnest(v_calls, p_tracks) AS batch (call, track)
    JOIN tracks ON tracks.call = batch.call AND tracks.track = batch.track
    WHERE tracks.journal IS NOT NULL
  ) AS held WHERE held.calls IS NOT NULL;

  -- Who appends looks at no call: the tracks are held by themselves. A call's new track is nobody else's yet.
  SELECT array_agg(CASE WHEN held.call IS NOT NULL OR NOT EXISTS (
      SELECT FROM tracks WHERE tracks.call = batch.call AND tracks.track = batch.track
    ) THEN batch.call END ORDER BY ordinal)
  INTO v_calls
  FROM unnest(v_calls, p_tracks) WITH ORDINALITY AS batch (call, track, ordinal)
  LEFT JOIN LATERAL (
    SELECT tracks.call FROM tracks
    WHERE tracks.call = batch.call AND tracks.track = batch.track
    FOR NO KEY UPDATE SKIP LOCKED
  ) AS held ON true;

  -- Groups that only go on where their track ends: no packet of theirs need be looked at.
  WITH appended AS (
    UPDATE tracks AS account SET
      received = account.received + batch.received,
      packets = account.packets + last - first + 1,
      duplicates = account.duplicates + batch.repeats,
      late = account.late + batch.late,
      last_packet_at = clock_timestamp()
    FROM unnest(v_calls, v_sealed, p_tracks, p_encodings, p_firsts, p_lasts, p_starts, p_lengths,
        p_received, p_repeats, p_late) WITH ORDINALITY
      AS batch (call, sealed, track, encoding, first, last, start, length, received, repeats, late,
        ordinal)
    WHERE account.call = batch.call AND account.track = batch.track AND NOT batch.sealed
      AND lower(batch.received) >= upper(account.received)
    RETURNING batch.*, account.received AS now_received, account.horizon, account.has_zero
  ), written AS (
    INSERT INTO segments (call, track, first_sequence, last_sequence, encoding,
      sequences, timestamps, sizes, payload)
    SELECT call, track, lower(received), upper(received) - 1, encoding,
      p_sequences[first : last], p_timestamps[first : last], p_sizes[first : last],
      substring(p_payload FROM start FOR length)
    FROM appended
  )
  SELECT array_agg(ROW(ordinal, 'stored', now_received - received, horizon, has_zero, false,
    call, track,
    -- The bounds alone of 1,001 ranges take 16 kB: most tracks need not be counted.
    CASE WHEN pg_column_size(now_received) > 16000 THEN multirange_count(now_received) ELSE 0 END
  )::stored_group)
  INTO v_results
  FROM appended;

  IF coalesce(cardinality(v_results), 0) < cardinality(p_call_ids) THEN
    FOREACH v_result IN ARRAY coalesce(v_results, '{}') LOOP
      v_done[v_result.ordinal] := true;
    END LOOP;

    -- The others, packet by packet. Each group is one row all the way: nothing is joined but by key.
    WITH groups AS (
      SELECT batch.*,
        coalesce(tracks.received, '{}') AS kept,
        coalesce(tracks.horizon, 0) AS horizon,
        coalesce(tracks.has_zero, false) AS has_zero,
        -- which of the group's numbers below the horizon, if any, were received before
        CASE WHEN lower(batch.received) < tracks.horizon THEN coalesce((
          SELECT range_agg(int8range(old.sequence, old.sequence, '[]'))
          FROM unnest(p_sequences[first : last]) AS old (sequence)
          WHERE old.sequence < tracks.horizon AND old.sequence <= (
            SELECT spilled.last_sequence FROM spilled_ranges AS spilled
            WHERE spilled.call = batch.call AND spilled.track = batch.track
              AND spilled.first_sequence <= old.sequence
            ORDER BY spilled.first_sequence DESC LIMIT 1)
        ), '{}') ELSE '{}' END AS spilled
      FROM unnest(v_calls, v_sealed, coalesce(v_created, '{}'), v_done, p_tracks, p_encodings,
          p_firsts, p_lasts, p_starts, p_received, p_repeats) WITH ORDINALITY
        AS batch (call, sealed, created, done, track, encoding, first, last, start, received,
          repeats, ordinal)
      LEFT JOIN tracks ON tracks.call = batch.call AND tracks.track = batch.track
      WHERE NOT batch.done
    ), judged AS MATERIALIZED (
      SELECT *,
        kept + spilled AS prior,
        CASE WHEN call IS NULL THEN 'locked' WHEN sealed THEN 'sealed' ELSE 'stored' END AS outcome
      FROM groups
    ), counted AS (
      SELECT judged.*, new.*
      FROM judged, LATERAL (
        SELECT count(*) AS packets,
          count(*) FILTER (WHERE late) AS late,
          min(sequence) AS first_sequence,
          max(sequence) AS last_sequence,
          array_agg(sequence ORDER BY place) AS sequences,
          array_agg(p_timestamps[place] ORDER BY place) AS timestamps,
          array_agg(p_sizes[place] ORDER BY place) AS sizes,
          string_agg(substring(p_payload FROM place_start FOR p_sizes[place]), ''::bytea
            ORDER BY place) AS payload
        FROM (
          SELECT place, p_sequences[place] AS sequence,
            judged.start + coalesce(sum(p_sizes[place]) OVER before, 0)::integer AS place_start,
            p_sequences[place] < greatest(
              upper(judged.kept) - 1, max(p_sequences[place]) OVER before) AS late
          FROM generate_series(judged.first, judged.last) AS place
          WHERE judged.outcome = 'stored'
          WINDOW before AS (ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        ) AS places
        WHERE NOT judged.prior @> sequence
      ) AS new
    ), written AS (
      INSERT INTO segments (call, track, first_sequence, last_sequence, encoding,
        sequences, timestamps, sizes, payload)
      SELECT call, track, first_sequence, last_sequence, encoding, sequences, timestamps, sizes,
        payload
      FROM counted WHERE packets > 0
    ), late_spills AS (
      INSERT INTO spilled_ranges (call, track, first_sequence, last_sequence)
      SELECT call, track, old, old
      FROM counted, unnest(sequences) AS old WHERE old < horizon
    ), accounted AS (
      INSERT INTO tracks AS account (
        call, track, received, has_zero, packets, duplicates, late, missing_below)
      SELECT call, track,
        kept + received * int8multirange(int8range(horizon, NULL)),
        has_zero OR received @> 0::bigint,
        packets,
        repeats + last - first + 1 - packets,
        late,
        -- what came after all, below the horizon, is missing no longer
        - (SELECT count(*) FROM unnest(sequences) AS old WHERE old < horizon AND old > 0)
      FROM counted WHERE outcome = 'stored'
      ON CONFLICT (call, track) DO UPDATE SET
        received = EXCLUDED.received,
        has_zero = EXCLUDED.has_zero,
        packets = account.packets + EXCLUDED.packets,
        duplicates = account.duplicates + EXCLUDED.duplicates,
        late = account.late + EXCLUDED.late,
        missing_below = account.missing_below + EXCLUDED.missing_below,
        last_packet_at = clock_timestamp()
      RETURNING call, track,
        CASE WHEN pg_column_size(received) > 16000 THEN multirange_count(received) ELSE 0 END AS ranges
    )
    SELECT array_agg(ROW(ordinal, outcome, prior, horizon, has_zero, coalesce(created, false),
        call, track, 0)::stored_group),
      (SELECT array_agg(ROW(0, 'stored', '{}', 0, false, false, call, track, ranges)::stored_group)
       FROM accounted WHERE ranges > 1001)
    INTO v_rest, v_swollen
    FROM counted;
  END IF;

  PERFORM spill_oldest_ranges(call, track) FROM unnest(v_results || v_swollen) WHERE ranges > 1001;
  RETURN QUERY SELECT * FROM unnest(v_results || v_rest);
END
$$;

-- What a journal holds of the call is settled, and so erased as well.
CREATE OR REPLACE FUNCTION erase_call(p_call_id text, p_force boolean)
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
  PERFORM release_calls(ARRAY[v_call.id]);
  DELETE FROM tracks WHERE tracks.call = v_call.id;
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

-- The numbers of a track and the time of its last packet are those after all that was acknowledged.
CREATE OR REPLACE FUNCTION start_media_stream(
  p_call_id text, p_protocol text, p_stream_id text, p_tracks track_name[], p_format jsonb,
  p_is_numbered boolean, p_metadata jsonb, p_packet_timeout float8, p_insist boolean
) RETURNS TABLE (call bigint, call_id text, stream bigint, bases bigint[], quiet_ms float8[])
LANGUAGE plpgsql AS $$
DECLARE
  v_call calls;
  v_call_id text := p_call_id;
  v_round integer := 1;
  v_rival media_streams;
  v_stream bigint;
  v_bases bigint[];
  v_quiet float8[];
BEGIN
  LOOP
    SELECT * INTO v_call FROM calls WHERE calls.call_id = v_call_id COLLATE "C" FOR NO KEY UPDATE;
    IF NOT FOUND THEN
      INSERT INTO calls (call_id, due_at)
      VALUES (v_call_id, clock_timestamp() + make_interval(secs => p_packet_timeout))
      ON CONFLICT DO NOTHING
      RETURNING * INTO v_call;
      CONTINUE WHEN NOT FOUND;
      INSERT INTO events (call, call_id, kind, version, status)
      VALUES (v_call.id, v_call_id, 'transition', v_call.version, v_call.status);
      EXIT;
    END IF;
    PERFORM release_calls(ARRAY[v_call.id]);
    PERFORM FROM tracks WHERE tracks.call = v_call.id AND track = ANY (p_tracks)
      AND packets > 0 AND media_format <> p_format;
    IF v_call.status = 'IN_PROGRESS' AND NOT FOUND THEN
      SELECT * INTO v_rival FROM media_streams
      WHERE media_streams.call = v_call.id AND ended_at IS NULL AND tracks && p_tracks LIMIT 1;
      EXIT WHEN NOT FOUND;
      IF NOT p_insist THEN RETURN; END IF;
      PERFORM FROM tracks WHERE tracks.call = v_call.id AND track = ANY (v_rival.tracks)
        AND greatest(last_packet_at, v_rival.started_at) > clock_timestamp() - interval '2 s';
      IF NOT FOUND THEN
        UPDATE media_streams SET ended_at = clock_timestamp(), ended_by = 'replaced'
        WHERE id = v_rival.id;
        PERFORM note_media_event(v_call.id, jsonb_build_object('event', 'stream_ended',
          'by', 'replaced', 'protocol', v_rival.protocol, 'stream_id', v_rival.stream_id));
        CONTINUE;
      END IF;
    END IF;
    v_round := v_round + 1;
    v_call_id := left(p_call_id, 127 - length(v_round::text)) || '~' || v_round;
  END LOOP;

  -- Its own numbers go on if no other stream came between: they would be taken for that one's. Then they tell what is
  -- missing, and no time of quiet does.
  SELECT
    array_agg(coalesce(own.base, upper(tracks.received) - 1, 0) ORDER BY ordinal),
    array_agg(CASE WHEN own.base IS NULL AND tracks.packets > 0 THEN
      extract(epoch FROM clock_timestamp() - tracks.last_packet_at)::float8 * 1000 END
      ORDER BY ordinal)
  INTO v_bases, v_quiet
  FROM unnest(p_tracks) WITH ORDINALITY AS wanted (track, ordinal)
  LEFT JOIN tracks ON tracks.call = v_call.id AND tracks.track = wanted.track
  LEFT JOIN LATERAL (
    SELECT CASE WHEN before.protocol = p_protocol AND before.stream_id = p_stream_id
      THEN before.bases[array_position(before.tracks, wanted.track)] END AS base
    FROM media_streams AS before
    WHERE p_is_numbered AND before.call = v_call.id AND wanted.track = ANY (before.tracks)
    ORDER BY before.id DESC LIMIT 1
  ) AS own ON true;

  INSERT INTO tracks (call, track, media_format, received, has_zero, packets, duplicates, late)
  SELECT v_call.id, wanted.track, p_format, '{}', false, 0, 0, 0 FROM unnest(p_tracks) AS wanted (track)
  ON CONFLICT ON CONSTRAINT tracks_pkey
    DO UPDATE SET media_format = EXCLUDED.media_format
    WHERE tracks.media_format IS DISTINCT FROM EXCLUDED.media_format;
  INSERT INTO media_streams (call, protocol, stream_id, tracks, bases, metadata)
  VALUES (v_call.id, p_protocol, p_stream_id, p_tracks, v_bases, p_metadata)
  RETURNING id INTO v_stream;
  PERFORM note_media_event(v_call.id, jsonb_strip_nulls(jsonb_build_object(
    'event', 'stream_started', 'protocol', p_protocol, 'stream_id', p_stream_id,
    'tracks', to_jsonb(p_tracks), 'format', p_format, 'metadata', p_metadata,
    'continues', nullif(p_call_id, v_call_id))));
  RETURN QUERY SELECT v_call.id, v_call_id, v_stream, v_bases, v_quiet;
END
$$;
