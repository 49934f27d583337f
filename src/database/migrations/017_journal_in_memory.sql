-- A journal is settled in memory: what it has at most is 16 MiB of audio. With the usual 4 MB it was sorted in files.
ALTER FUNCTION settle_journal(bigint) SET work_mem = '64MB';

-- What append_to_journal() was.
ALTER FUNCTION append_to_journal(
  bigint, packet_encoding, integer[], integer[], bigint[], smallint[], bigint[], float8[], bytea[]
) RENAME TO append_to_contended_journal;

-- The same, in one statement and without settings of its own, which is a sixth of what a batch took; where the journal
-- is locked, gone, or has lost tracks, nothing is added by it.
CREATE FUNCTION append_to_journal(
  p_journal bigint, p_encoding packet_encoding, p_firsts integer[], p_lasts integer[], p_calls bigint[],
  p_tracks smallint[], p_sequences bigint[], p_timestamps float8[], p_payloads bytea[],
  OUT stored boolean, OUT lost bigint[]
) LANGUAGE plpgsql AS $$
BEGIN
  WITH uncontended AS (
    SELECT FROM journals WHERE id = p_journal AND NOT has_losses FOR KEY SHARE SKIP LOCKED
  )
  INSERT INTO journal_entries (
    journal, received_at, encoding, calls, tracks, sequences, timestamps, payloads)
  SELECT p_journal, clock_timestamp(), p_encoding, p_calls[first : last], p_tracks[first : last],
    p_sequences[first : last], p_timestamps[first : last], p_payloads[first : last]
  FROM uncontended, unnest(p_firsts, p_lasts) AS entry (first, last);
  stored := FOUND;
  IF stored THEN RETURN; END IF;
  SELECT contended.stored, contended.lost INTO stored, lost
  FROM append_to_contended_journal(p_journal, p_encoding, p_firsts, p_lasts, p_calls, p_tracks,
    p_sequences, p_timestamps, p_payloads) AS contended;
END
$$;
