-- Nearly all segments are even: each packet follows the one before, and all are of one size. Such a segment lists neither.

ALTER TABLE segments ALTER COLUMN sequences DROP NOT NULL;

COMMENT ON COLUMN segments.sequences IS
  'of each packet; NULL where each follows the one before, from first_sequence to last_sequence';
COMMENT ON COLUMN segments.sizes IS
  'bytes of each packet in payload, one after the other; a single one where all are of that size';

-- As append_packets() of 14 parameters, which stays for gateways of the version before while they run, but:
--   p_listed  where in p_sequences and p_sizes the packets of a group stand, from 1; 0 for a group that is even
--   p_size    of each packet of an even group
CREATE FUNCTION append_packets(
  p_calls bigint[], p_tracks track_name[], p_encodings packet_encoding[],
  p_firsts integer[], p_lasts integer[], p_starts integer[], p_lengths integer[],
  p_received int8multirange[], p_repeats integer[], p_late integer[], p_listed integer[], p_size integer[],
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
        p_repeats, p_late, p_listed, p_size) WITH ORDINALITY
      AS batch (call, track, encoding, first, last, start, length, received, repeats, late, listed, size,
        ordinal)
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
      CASE WHEN listed > 0 THEN p_sequences[listed : listed + last - first] END,
      p_timestamps[first : last],
      CASE WHEN listed > 0 THEN p_sizes[listed : listed + last - first] ELSE ARRAY[size] END,
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

-- As before, but what goes on where its track ends is in sequence, and the packets of a track are of one size as a rule.
CREATE OR REPLACE FUNCTION settle_journal(p_journal bigint) RETURNS void LANGUAGE plpgsql
SET work_mem = '64MB'
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
      min(sequence) AS first, max(sequence) AS last, count(*) AS packets,
      array_agg(timestamp ORDER BY sequence) AS timestamps,
      min(octet_length(payload)) AS least_size, max(octet_length(payload)) AS greatest_size,
      array_agg(octet_length(payload) ORDER BY sequence) AS sizes,
      string_agg(payload, '' ORDER BY sequence) AS payload
    FROM packets GROUP BY call, packets.track
  ), accounted AS (
    UPDATE tracks SET
      received = tracks.received + int8multirange(int8range(first, last, '[]')),
      packets = tracks.packets + runs.packets,
      last_packet_at = runs.received_at
    FROM runs
    WHERE tracks.call = runs.call AND tracks.track = runs.track AND tracks.journal = p_journal
      AND first = upper(tracks.received) AND last - first + 1 = runs.packets
    RETURNING runs.*
  ), written AS (
    INSERT INTO segments (call, track, first_sequence, last_sequence, received_at, encoding,
      timestamps, sizes, payload)
    SELECT call, track, first, last, received_at, encoding, timestamps,
      CASE WHEN least_size = greatest_size THEN ARRAY[least_size] ELSE sizes END, payload
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
