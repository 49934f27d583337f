-- A call that ends leaves the journal alone. To take its tracks away there and then cost as much as all other packets of
-- the moment: they had to be settled first. Its process gives them back when it has heard nothing more of them; where it
-- did not, they are taken away when the call is sealed, as then nobody may add to them (docs/decisions/019).

DROP TRIGGER tracks_are_released_when_their_call_ends ON calls;
DROP FUNCTION release_ending_call;

CREATE OR REPLACE FUNCTION seal_tracks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM tracks WHERE tracks.call = NEW.id AND journal IS NOT NULL) THEN
    PERFORM release_calls(ARRAY[NEW.id]);
  END IF;
  UPDATE tracks SET sealed = true WHERE tracks.call = NEW.id;
  RETURN NULL;
END
$$;

-- The packets of a track that are in its journal and not in its account yet; all of them go on where it ends. NULL without
-- a journal.
CREATE FUNCTION journaled_packets(
  p_journal bigint, p_call bigint, p_track track_name, OUT packets bigint, OUT last_packet_at timestamptz
) LANGUAGE plpgsql STABLE STRICT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
  SELECT count(*), max(entry.received_at) INTO packets, last_packet_at
  FROM journals
  JOIN journal_entries AS entry ON entry.journal = journals.id AND entry.id > settled_up_to
  CROSS JOIN LATERAL unnest(entry.calls, entry.tracks) AS packet (call, track)
  WHERE journals.id = p_journal AND p_call = ANY (entry.calls)
    AND packet.call = p_call
    AND (enum_range(NULL::track_name))[packet.track] = p_track;
END
$$;
