-- What was received of every track, and the audio itself.

CREATE TYPE track_name AS ENUM ('inbound', 'outbound', 'mixed');
-- text: the UTF-8 of a packet's `data`, as it came; binary: raw media.
CREATE TYPE packet_encoding AS ENUM ('text', 'binary');

CREATE TABLE tracks (
  call             bigint NOT NULL REFERENCES calls ON DELETE CASCADE,
  track            track_name NOT NULL,
  media_format     jsonb,
  received         int8multirange NOT NULL,
  has_zero         boolean NOT NULL,
  horizon          bigint NOT NULL DEFAULT 0,
  missing_below    bigint NOT NULL DEFAULT 0,
  packets          bigint NOT NULL,
  duplicates       bigint NOT NULL,
  late             bigint NOT NULL,
  first_packet_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_packet_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (call, track)
) WITH (fillfactor = 50);

COMMENT ON COLUMN tracks.received IS 'the sequence numbers received, from the horizon upwards';
COMMENT ON COLUMN tracks.has_zero IS 'packet 0 was seen: the track counts from 0, else from 1';
COMMENT ON COLUMN tracks.horizon IS
  'below it what was received stands in spilled_ranges, and what is missing is a count only';

-- The oldest received ranges of a track with more than 1,000 gaps: a row each, so that a packet which
-- comes ever so late is still told from a duplicate in logarithmic time.
CREATE TABLE spilled_ranges (
  call           bigint NOT NULL REFERENCES calls ON DELETE CASCADE,
  track          track_name NOT NULL,
  first_sequence bigint NOT NULL,
  last_sequence  bigint NOT NULL,
  PRIMARY KEY (call, track, first_sequence)
);

-- Packets of one track that were committed together, in the order of their arrival. Each sequence of a
-- track is in exactly one segment. No foreign key: its check would cost more than the insert, and
-- store_packets() holds the call's lock.
CREATE TABLE segments (
  call           bigint NOT NULL,
  track          track_name NOT NULL,
  first_sequence bigint NOT NULL,
  last_sequence  bigint NOT NULL,
  received_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  encoding       packet_encoding NOT NULL,
  sequences      bigint[] NOT NULL,
  timestamps     float8[] NOT NULL,
  sizes          integer[] NOT NULL,
  payload        bytea NOT NULL,
  PRIMARY KEY (call, track, first_sequence)
) WITH (toast_tuple_target = 8160);
-- Speech does not compress well enough to pay for trying.
ALTER TABLE segments ALTER COLUMN payload SET STORAGE EXTERNAL;

COMMENT ON COLUMN segments.first_sequence IS 'the least of sequences, last_sequence the greatest';
COMMENT ON COLUMN segments.timestamps IS 'the sender''s clock, in the sender''s unit';
COMMENT ON COLUMN segments.sizes IS 'bytes of each packet in payload, one after the other';

CREATE FUNCTION multirange_size(p_ranges int8multirange) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(sum(upper(r) - lower(r)), 0)::bigint FROM unnest(p_ranges) AS r
$$;

CREATE FUNCTION multirange_count(p_ranges int8multirange) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT count(*)::integer FROM unnest(p_ranges)
$$;

-- What is missing of a track from its horizon upwards: holes between its first number (0 if packet 0 was
-- seen, else 1) and the highest received.
CREATE FUNCTION missing_of_track(p_track tracks) RETURNS int8multirange LANGUAGE sql IMMUTABLE AS $$
  SELECT int8multirange(int8range(
    greatest(p_track.horizon, CASE WHEN p_track.has_zero THEN 0 ELSE 1 END),
    greatest(upper(p_track.received), p_track.horizon, 1))) - p_track.received
$$;

-- Keeps the newest 1,001 received ranges (1,000 gaps between them) in the track's row.
CREATE FUNCTION spill_oldest_ranges(p_call bigint, p_track track_name) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_track tracks;
  v_horizon bigint;
  v_old int8multirange;
BEGIN
  SELECT * INTO STRICT v_track FROM tracks WHERE call = p_call AND track = p_track;
  SELECT lower(r) INTO STRICT v_horizon
  FROM unnest(v_track.received) AS r ORDER BY lower(r) DESC OFFSET 1000 LIMIT 1;
  v_old := v_track.received * int8multirange(int8range(NULL, v_horizon));
  INSERT INTO spilled_ranges (call, track, first_sequence, last_sequence)
  SELECT p_call, p_track, lower(r), upper(r) - 1 FROM unnest(v_old) AS r;
  UPDATE tracks SET
    horizon = v_horizon,
    received = v_track.received - v_old,
    missing_below = v_track.missing_below + multirange_size(
      missing_of_track(v_track) * int8multirange(int8range(NULL, v_horizon)))
  WHERE call = p_call AND track = p_track;
END
$$;

CREATE TYPE stored_group AS (
  ordinal  integer,
  outcome  text,
  prior    int8multirange,
  horizon  bigint,
  has_zero boolean,
  created  boolean,
  call     bigint,
  track    track_name,
  ranges   integer
);

-- Makes a batch of packets durable, in the transaction it is called in. The batch comes in groups, at most
-- one for a call and track: packets p_firsts to p_lasts, counted from 1, in the order of arrival and without
-- repeats. p_starts is where the bytes of each packet begin in p_payload, counted from 1.
-- Returns for every group, by its ordinal from 1:
--   outcome  stored, sealed (the analysis has begun: nothing stored) or locked (by another session: try again)
--   prior    what the track had received before, as far as the packets of the group can meet it
-- It waits for no row lock, so it cannot deadlock and a call locked elsewhere delays only itself. Each
-- statement has a snapshot of its own: what is read after the lock is the truth.
CREATE FUNCTION store_packets(
  p_call_ids text[], p_tracks track_name[], p_encodings packet_encoding[],
  p_firsts integer[], p_lasts integer[],
  p_received int8multirange[], p_repeats integer[], p_late integer[],
  p_sequences bigint[], p_timestamps float8[], p_sizes integer[], p_starts integer[], p_payload bytea,
  p_packet_timeout float8
) RETURNS SETOF stored_group LANGUAGE plpgsql
-- One plan for ever, by index: one made while the tables are small must not scan them when they are not.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
  v_created bigint[];
  v_calls bigint[];
  v_sealed boolean[];
  v_results stored_group[];
BEGIN
  WITH created AS (
    INSERT INTO calls (call_id, due_at)
    SELECT DISTINCT new.call_id, clock_timestamp() + make_interval(secs => p_packet_timeout)
    FROM unnest(p_call_ids) AS new (call_id)
    WHERE NOT EXISTS (SELECT FROM calls WHERE calls.call_id = new.call_id COLLATE "C")
    ORDER BY new.call_id
    ON CONFLICT DO NOTHING
    RETURNING id, call_id, version, status
  ), logged AS (
    INSERT INTO events (call, call_id, kind, version, status)
    SELECT id, call_id, 'transition', version, status FROM created
  )
  SELECT array_agg(id) INTO v_created FROM created;

  SELECT array_agg(locked.id ORDER BY ordinal), array_agg(locked.sealed ORDER BY ordinal)
  INTO v_calls, v_sealed
  FROM unnest(p_call_ids) WITH ORDINALITY AS wanted (call_id, ordinal)
  LEFT JOIN LATERAL (
    SELECT id, sealed_at IS NOT NULL AS sealed FROM calls
    WHERE calls.call_id = wanted.call_id COLLATE "C"
    FOR NO KEY UPDATE SKIP LOCKED
  ) AS locked ON true;

  WITH groups AS (
    SELECT batch.*,
      coalesce(tracks.received, '{}') AS kept,
      coalesce(tracks.horizon, 0) AS horizon,
      coalesce(tracks.has_zero, false) AS has_zero,
      -- which of the group's numbers below the horizon, if any, were received before
      CASE WHEN lower(batch.received) < tracks.horizon THEN coalesce((
        SELECT range_agg(int8range(late.sequence, late.sequence, '[]'))
        FROM unnest(p_sequences[first : last]) AS late (sequence)
        WHERE late.sequence < tracks.horizon AND late.sequence <= (
          SELECT spilled.last_sequence FROM spilled_ranges AS spilled
          WHERE spilled.call = batch.call AND spilled.track = batch.track
            AND spilled.first_sequence <= late.sequence
          ORDER BY spilled.first_sequence DESC LIMIT 1)
      ), '{}') ELSE '{}' END AS spilled
    FROM unnest(
        v_calls, v_sealed, p_tracks, p_encodings, p_firsts, p_lasts, p_received, p_repeats, p_late)
      WITH ORDINALITY
      AS batch (call, sealed, track, encoding, first, last, received, repeats, late, ordinal)
    LEFT JOIN tracks ON tracks.call = batch.call AND tracks.track = batch.track
  ), judged AS (
    SELECT *,
      kept + spilled AS prior,
      CASE WHEN call IS NULL THEN 'locked' WHEN sealed THEN 'sealed' ELSE 'stored' END AS outcome,
      isempty(kept) OR lower(received) >= upper(kept) AS appends
    FROM groups
  ), packets AS (
    -- the new packets of groups that do not simply append, one by one
    SELECT ordinal, place, p_sequences[place] AS sequence,
      p_sequences[place] < greatest(upper(kept) - 1, max(p_sequences[place]) OVER (
        PARTITION BY ordinal ORDER BY place ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW
      )) AS late
    FROM judged, generate_series(first, last) AS place
    WHERE outcome = 'stored' AND NOT appends AND NOT prior @> p_sequences[place]
  ), filtered AS (
    SELECT ordinal,
      min(sequence) AS first_sequence,
      max(sequence) AS last_sequence,
      array_agg(sequence ORDER BY place) AS sequences,
      array_agg(p_timestamps[place] ORDER BY place) AS timestamps,
      array_agg(p_sizes[place] ORDER BY place) AS sizes,
      string_agg(substring(p_payload FROM p_starts[place] FOR p_sizes[place]), ''::bytea
        ORDER BY place) AS payload,
      count(*) AS packets,
      count(*) FILTER (WHERE late) AS late
    FROM packets GROUP BY ordinal
  ), written AS (
    INSERT INTO segments (call, track, first_sequence, last_sequence, encoding,
      sequences, timestamps, sizes, payload)
    SELECT call, track, lower(received), upper(received) - 1, encoding,
      p_sequences[first : last], p_timestamps[first : last], p_sizes[first : last],
      substring(p_payload FROM p_starts[first]
        FOR p_starts[last] + p_sizes[last] - p_starts[first])
    FROM judged WHERE outcome = 'stored' AND appends
    UNION ALL
    SELECT call, track, first_sequence, last_sequence, encoding, sequences, timestamps, sizes, payload
    FROM filtered JOIN judged USING (ordinal)
  ), late_spills AS (
    INSERT INTO spilled_ranges (call, track, first_sequence, last_sequence)
    SELECT call, judged.track, sequence, sequence
    FROM packets JOIN judged USING (ordinal) WHERE sequence < horizon
    RETURNING call, track, first_sequence
  ), accounted AS (
    INSERT INTO tracks AS account (call, track, received, has_zero, packets, duplicates, late)
    SELECT call, judged.track,
      kept + received * int8multirange(int8range(horizon, NULL)),
      has_zero OR received @> 0::bigint,
      new_packets,
      repeats + last - first + 1 - new_packets,
      CASE WHEN appends THEN judged.late ELSE coalesce(filtered.late, 0) END
    FROM judged LEFT JOIN filtered USING (ordinal), LATERAL (
      SELECT CASE WHEN appends THEN last - first + 1 ELSE coalesce(filtered.packets, 0) END
    ) AS counted (new_packets)
    WHERE outcome = 'stored'
    ON CONFLICT (call, track) DO UPDATE SET
      received = EXCLUDED.received,
      has_zero = EXCLUDED.has_zero,
      packets = account.packets + EXCLUDED.packets,
      duplicates = account.duplicates + EXCLUDED.duplicates,
      late = account.late + EXCLUDED.late,
      missing_below = account.missing_below - (
        SELECT count(*) FROM late_spills
        WHERE late_spills.call = account.call AND late_spills.track = account.track
          AND late_spills.first_sequence > 0),
      last_packet_at = clock_timestamp()
    -- The bounds alone of 1,001 ranges take 16 kB: most tracks need not be counted.
    RETURNING call, track,
      CASE WHEN pg_column_size(received) > 16000 THEN multirange_count(received) ELSE 0 END AS ranges
  )
  SELECT array_agg(ROW(ordinal, outcome, prior, horizon, has_zero,
    coalesce(judged.call = ANY (v_created), false), judged.call, judged.track, ranges)::stored_group)
  INTO v_results
  FROM judged LEFT JOIN accounted USING (call, track);

  PERFORM spill_oldest_ranges(call, track) FROM unnest(v_results) WHERE ranges > 1001;
  RETURN QUERY SELECT * FROM unnest(v_results);
END
$$;
