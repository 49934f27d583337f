-- Calls whose audio comes by a PBX's own protocol: their streams, what these say beside audio, and the time for
-- which no audio came.

ALTER TABLE calls ADD COLUMN tracks_swapped boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN calls.tracks_swapped IS
  'a supervisor said that the track inbound is the agent and outbound the customer';

COMMENT ON COLUMN tracks.media_format IS
  'encoding, rate in Hz, and whose clock the packets'' timestamps are; null: the payload is opaque';

CREATE TABLE media_streams (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  call       bigint NOT NULL REFERENCES calls ON DELETE CASCADE,
  protocol   text NOT NULL,
  stream_id  text NOT NULL,
  tracks     track_name[] NOT NULL,
  bases      bigint[] NOT NULL,
  metadata   jsonb NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at   timestamptz,
  ended_by   text CHECK (ended_by IN ('stopped', 'disconnected', 'replaced')),
  CONSTRAINT an_ended_stream_has_a_cause CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE INDEX media_streams_by_call ON media_streams (call);

COMMENT ON COLUMN media_streams.bases IS
  'per track, what is added to the number of a packet on this stream to get its sequence in the call';
COMMENT ON COLUMN media_streams.ended_by IS
  'stopped: the PBX said that the call is over; disconnected: the connection ended; replaced: by a newer one';

-- Time without audio that no missing sequence tells of, in front of a packet of a track.
CREATE TABLE silences (
  call            bigint NOT NULL REFERENCES calls ON DELETE CASCADE,
  track           track_name NOT NULL,
  before_sequence bigint NOT NULL,
  cause           text NOT NULL CHECK (cause IN ('clock', 'reported', 'reconnect', 'paused', 'overload')),
  milliseconds    float8 NOT NULL CHECK (milliseconds > 0),
  noticed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (call, track, before_sequence, cause)
);

COMMENT ON COLUMN silences.cause IS
  'clock: fewer samples came than time passed; reported: the PBX said so; overload: the gateway had no room';

ALTER TABLE events
  DROP CONSTRAINT events_kind_check,
  ADD CONSTRAINT events_kind_check
    CHECK (kind IN ('transition', 'result', 'attempt', 'media')) NOT VALID;

-- Tells of something that happened on the media of a call. The caller holds the call's lock, or needs none.
CREATE FUNCTION note_media_event(p_call bigint, p_data jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO events (call, call_id, kind, version, status, data)
  SELECT id, call_id, 'media', version, status, p_data FROM calls WHERE id = p_call
$$;

-- Begins a stream of media: finds or creates its call, declares the format of its tracks, and says from where
-- its packets are counted. A call that is over is not opened again, and a track has one format: else the
-- stream belongs to a new call named p_call_id~2, ~3 …
-- No row: another stream still carries one of the tracks; it may be about to end, so ask again. With p_insist
-- it is taken for dead when it was quiet for 2 s, and else the new stream gets a call of its own.
--   bases     per track
--   quiet_ms  per track, since its last packet; null before the first
CREATE FUNCTION start_media_stream(
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

-- Ends a stream. When no other stream of its call is open, the call is complete: at once if the PBX said that it
-- is over, else unless a stream comes within p_reconnect. True: the call was completed.
CREATE FUNCTION end_media_stream(
  p_stream bigint, p_ended_by text, p_data jsonb, p_reconnect float8, p_grace float8
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_call calls;
  v_stream media_streams;
BEGIN
  SELECT * INTO v_call FROM calls
  WHERE id = (SELECT call FROM media_streams WHERE id = p_stream) FOR NO KEY UPDATE;
  UPDATE media_streams SET ended_at = clock_timestamp(), ended_by = p_ended_by
  WHERE id = p_stream AND ended_at IS NULL
  RETURNING * INTO v_stream;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM note_media_event(v_call.id, p_data || jsonb_build_object('event', 'stream_ended',
    'by', p_ended_by, 'protocol', v_stream.protocol, 'stream_id', v_stream.stream_id));
  IF v_call.status <> 'IN_PROGRESS' THEN RETURN false; END IF;
  PERFORM FROM media_streams WHERE call = v_call.id AND ended_at IS NULL;
  IF FOUND THEN RETURN false; END IF;
  IF p_ended_by = 'stopped' THEN
    PERFORM complete_call(v_call.call_id, 'media_ended', p_grace);
    RETURN true;
  END IF;
  UPDATE calls SET due_at = least(due_at, clock_timestamp() + make_interval(secs => p_reconnect))
  WHERE id = v_call.id;
  RETURN false;
END
$$;

-- Keeps what no sequence number tells; the same silence again changes nothing.
CREATE FUNCTION record_silences(
  p_call bigint, p_tracks track_name[], p_sequences bigint[], p_milliseconds float8[], p_causes text[]
) RETURNS void LANGUAGE sql AS $$
  WITH kept AS (
    INSERT INTO silences (call, track, before_sequence, milliseconds, cause)
    SELECT p_call, * FROM unnest(p_tracks, p_sequences, p_milliseconds, p_causes)
    ON CONFLICT DO NOTHING
    RETURNING track, before_sequence, milliseconds, cause
  )
  INSERT INTO events (call, call_id, kind, version, status, data)
  SELECT calls.id, call_id, 'media', version, status, jsonb_build_object('event', 'no_audio',
    'track', kept.track, 'before_sequence', before_sequence, 'milliseconds', milliseconds,
    'cause', cause)
  FROM kept CROSS JOIN calls WHERE calls.id = p_call
$$;

-- As meet_deadlines() of three parameters, which stays for gateways of the version before: and a call of which
-- all streams ended, and into which nothing came for p_reconnect since, is complete.
CREATE FUNCTION meet_deadlines(
  p_limit integer, p_packet_timeout float8, p_grace float8, p_reconnect float8
) RETURNS integer LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_call calls;
  v_last_packet timestamptz;
  v_open boolean;
  v_last_start timestamptz;
  v_last_end timestamptz;
  v_over_at timestamptz;
  v_cause text;
  v_changed integer := 0;
BEGIN
  FOR v_call IN
    SELECT * FROM calls
    WHERE (status = 'IN_PROGRESS' OR (status = 'COMPLETED' AND ai_processed_at IS NOT NULL))
      AND due_at <= clock_timestamp()
    ORDER BY due_at LIMIT p_limit
    FOR NO KEY UPDATE SKIP LOCKED
  LOOP
    IF v_call.status = 'COMPLETED' THEN
      PERFORM transition_call(v_call.id, 'ARCHIVED', NULL);
      v_changed := v_changed + 1;
      CONTINUE;
    END IF;
    SELECT coalesce(max(last_packet_at), v_call.created_at) INTO v_last_packet
    FROM tracks WHERE call = v_call.id;
    SELECT bool_or(ended_at IS NULL), max(started_at), max(ended_at)
    INTO v_open, v_last_start, v_last_end
    FROM media_streams WHERE call = v_call.id;
    v_cause := 'silence';
    v_over_at := greatest(v_last_packet, v_last_start) + make_interval(secs => p_packet_timeout);
    IF NOT v_open
      AND greatest(v_last_end, v_last_packet) + make_interval(secs => p_reconnect) < v_over_at THEN
      v_cause := 'media_ended';
      v_over_at := greatest(v_last_end, v_last_packet) + make_interval(secs => p_reconnect);
    END IF;
    IF v_over_at > clock_timestamp() THEN
      UPDATE calls SET due_at = v_over_at WHERE id = v_call.id;
    ELSE
      PERFORM complete_call(v_call.call_id, v_cause, p_grace);
      v_changed := v_changed + 1;
    END IF;
  END LOOP;
  RETURN v_changed;
END
$$;

-- Who speaks on an AudioSocket, whose protocol names nothing but a UUID: said before it connects.
CREATE TABLE announced_streams (
  stream_id    text COLLATE "C" PRIMARY KEY,
  call_id      text COLLATE "C" NOT NULL,
  track        track_name NOT NULL,
  encoding     text,
  announced_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX announced_streams_by_age ON announced_streams (announced_at);

-- Exchanges the roles of the tracks of a call (p_swapped is null), or sets them. No row for an unknown call.
CREATE FUNCTION swap_tracks(p_call_id text, p_swapped boolean)
RETURNS TABLE (id bigint, swapped boolean) LANGUAGE plpgsql AS $$
DECLARE
  v_call calls;
  v_swapped boolean;
BEGIN
  SELECT * INTO v_call FROM calls WHERE calls.call_id = p_call_id COLLATE "C" FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  v_swapped := coalesce(p_swapped, NOT v_call.tracks_swapped);
  IF v_swapped <> v_call.tracks_swapped THEN
    UPDATE calls SET tracks_swapped = v_swapped, updated_at = clock_timestamp() WHERE calls.id = v_call.id;
    PERFORM note_media_event(v_call.id, jsonb_build_object('event', 'tracks_swapped', 'swapped', v_swapped));
  END IF;
  RETURN QUERY SELECT v_call.id, v_swapped;
END
$$;
