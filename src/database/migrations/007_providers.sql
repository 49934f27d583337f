-- The health of AI services, one for all gateways, and the steps of an analysis, each kept when it is done.

CREATE TABLE providers (
  name       text PRIMARY KEY,
  state      text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open', 'half_open', 'paused')),
  reason     text,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ill_since  timestamptz,
  retry_at   timestamptz,
  ceiling    integer NOT NULL CHECK (ceiling > 0),
  allowed    float8 NOT NULL,
  openings   integer NOT NULL DEFAULT 0,
  outages    integer NOT NULL DEFAULT 0,
  last_error text,
  CONSTRAINT what_is_not_asked_is_asked_again
    CHECK (state IN ('closed', 'half_open') OR retry_at IS NOT NULL)
) WITH (fillfactor = 50);

COMMENT ON COLUMN providers.state IS
  'closed: it is asked; open: it fails and is not asked until retry_at; half_open: probed; paused: its settings are wrong';
COMMENT ON COLUMN providers.changed_at IS
  'what became of requests from before tells nothing of the state since';
COMMENT ON COLUMN providers.ill_since IS 'when it was last closed no more; null while it is closed';
COMMENT ON COLUMN providers.ceiling IS 'requests at once, by the settings';
COMMENT ON COLUMN providers.allowed IS 'requests at once, now: after an outage it grows by one with every answer';
COMMENT ON COLUMN providers.openings IS 'openings since it was last closed for good: the wait doubles';
COMMENT ON COLUMN providers.outages IS 'failures in a row of a service that is not there at all';

-- Requests in flight, wherever they were made. A process that vanishes leaves its rows to expire.
CREATE TABLE provider_requests (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  provider   text NOT NULL REFERENCES providers,
  call       bigint NOT NULL,
  step       text NOT NULL,
  owner      text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX provider_requests_by_provider ON provider_requests (provider, expires_at);

-- What became of requests, in stretches of ten seconds, and anew from every change of state. latencies[n] counts
-- answers of up to 2^(n-1) ms.
CREATE TABLE provider_outcomes (
  provider      text NOT NULL REFERENCES providers,
  since         timestamptz NOT NULL,
  succeeded     integer NOT NULL DEFAULT 0,
  failed        integer NOT NULL DEFAULT 0,
  latencies     integer[] NOT NULL DEFAULT array_fill(0, ARRAY[20]),
  audio_seconds float8 NOT NULL DEFAULT 0,
  input_tokens  bigint NOT NULL DEFAULT 0,
  output_tokens bigint NOT NULL DEFAULT 0,
  answered_at   timestamptz,
  PRIMARY KEY (provider, since)
) WITH (fillfactor = 50);

COMMENT ON COLUMN provider_outcomes.answered_at IS 'when a request succeeded last';

ALTER TABLE attempts ADD COLUMN refused_by text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN attempts.provider IS 'the provider that was asked last: who answered, or failed';
COMMENT ON COLUMN attempts.refused_by IS 'providers that would not be asked: a pause, nobody there, wrong settings';

-- Says which providers there are, and how many requests each may have in flight. Whoever starts may have mended the
-- settings: what is paused is tried at once.
CREATE FUNCTION declare_providers(p_names text[], p_ceilings integer[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO providers (name, ceiling, allowed)
  SELECT name, ceiling, ceiling FROM unnest(p_names, p_ceilings) AS declared (name, ceiling)
  ORDER BY name
  ON CONFLICT (name) DO UPDATE SET
    ceiling = EXCLUDED.ceiling,
    allowed = CASE WHEN providers.allowed >= providers.ceiling THEN EXCLUDED.allowed
      ELSE least(providers.allowed, EXCLUDED.allowed) END,
    retry_at = CASE WHEN providers.state = 'paused' THEN clock_timestamp() ELSE providers.retry_at END
  WHERE providers.ceiling <> EXCLUDED.ceiling OR providers.state = 'paused'
$$;

-- How many requests a provider has in flight, and how many more it may be sent now. What was sent before its state
-- changed counts towards its ceiling, and not towards what it is allowed since.
CREATE FUNCTION requests_of(p_provider providers, OUT in_flight integer, OUT free integer)
LANGUAGE sql STABLE AS $$
  SELECT count(*)::integer, greatest(0, least(
    p_provider.ceiling - count(*),
    floor(p_provider.allowed)::bigint - count(*) FILTER (WHERE started_at >= p_provider.changed_at)))::integer
  FROM provider_requests WHERE provider = p_provider.name AND expires_at > clock_timestamp()
$$;

-- How many more requests providers may be sent now, and in how many seconds those that are not asked are tried.
CREATE FUNCTION provider_capacity(p_names text[])
RETURNS TABLE (provider text, state text, free integer, wait float8) LANGUAGE sql STABLE AS $$
  SELECT name, providers.state,
    CASE WHEN providers.state IN ('open', 'paused')
      THEN (retry_at <= clock_timestamp())::integer ELSE requests.free END,
    CASE WHEN providers.state IN ('open', 'paused')
      THEN greatest(extract(epoch FROM retry_at - clock_timestamp())::float8, 0) END
  FROM unnest(p_names) WITH ORDINALITY AS asked (name, place)
  JOIN providers USING (name)
  CROSS JOIN LATERAL requests_of(providers) AS requests
  ORDER BY place
$$;

-- Asks for leave to send a request. A row with a request: send it, and report what became of it before it expires.
-- A row without: do not; it is busy (closed), or not asked (any other state): ask again in so many seconds.
CREATE FUNCTION admit_request(
  p_provider text, p_call bigint, p_step text, p_owner text, p_expires float8
) RETURNS TABLE (request bigint, state text, wait float8, reason text) LANGUAGE plpgsql AS $$
DECLARE
  v_provider providers;
BEGIN
  -- What a crash of the database forgets of this is found out anew: nobody waits for the disk, with the row locked.
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT * INTO STRICT v_provider FROM providers WHERE name = p_provider FOR NO KEY UPDATE;
  DELETE FROM provider_requests WHERE provider = p_provider AND expires_at < clock_timestamp();
  IF v_provider.state IN ('open', 'paused') THEN
    IF v_provider.retry_at > clock_timestamp() THEN
      RETURN QUERY SELECT NULL::bigint, v_provider.state,
        extract(epoch FROM v_provider.retry_at - clock_timestamp())::float8, v_provider.reason;
      RETURN;
    END IF;
    UPDATE providers SET state = 'half_open', allowed = 1, changed_at = clock_timestamp()
    WHERE name = p_provider RETURNING * INTO v_provider;
  END IF;
  IF (requests_of(v_provider)).free = 0 THEN
    RETURN QUERY SELECT NULL::bigint, v_provider.state, 0.25::float8, v_provider.reason;
    RETURN;
  END IF;
  UPDATE attempts SET provider = p_provider
  WHERE call = p_call AND ended_at IS NULL AND provider <> p_provider;
  RETURN QUERY
    INSERT INTO provider_requests (provider, call, step, owner, expires_at)
    VALUES (p_provider, p_call, p_step, p_owner, clock_timestamp() + make_interval(secs => p_expires))
    RETURNING id, v_provider.state, NULL::float8, NULL::text;
END
$$;

-- Stops asking a provider until a time. The caller holds its lock.
CREATE FUNCTION stop_asking(p_provider text, p_state text, p_reason text, p_wait float8, p_opens boolean)
RETURNS void LANGUAGE sql AS $$
  UPDATE providers SET
    state = p_state, reason = p_reason, outages = 0,
    changed_at = CASE WHEN state IN ('open', 'paused') THEN changed_at ELSE clock_timestamp() END,
    ill_since = coalesce(ill_since, clock_timestamp()),
    retry_at = greatest(retry_at, clock_timestamp() + make_interval(secs => p_wait)),
    openings = openings + p_opens::integer
  WHERE name = p_provider
$$;

-- Tells what became of a request, and decides by it whether the provider is asked on. What says nothing of the
-- present state, because it was sent before it, neither opens nor closes; but a service that answers now that its
-- settings are wrong, or for how long it wants to be left alone, is heard.
--   p_outcome  succeeded; permanent (this call only: the provider is well); retryable; outage; configuration;
--              released (given up by us: it says nothing of the provider)
-- The state that the provider is now in, and the one before; and whether the failure is the call's own: the provider
-- would not be asked about it before either, and answered since.
CREATE FUNCTION report_request(
  p_request bigint, p_provider text, p_outcome text, p_error text, p_latency_ms float8,
  p_retry_after float8, p_audio_seconds float8, p_input_tokens bigint, p_output_tokens bigint
) RETURNS TABLE (state_before text, state_now text, is_own boolean) LANGUAGE plpgsql AS $$
DECLARE
  v_provider providers;
  v_call bigint;
  v_started timestamptz;
  v_is_own boolean := false;
  v_is_current boolean;
  v_is_well boolean := p_outcome IN ('succeeded', 'permanent');
  v_stretch timestamptz := date_bin('10 s', clock_timestamp(), 'epoch');
  v_is_new boolean;
  v_bucket integer := least(20, greatest(1, ceil(log(2.0, greatest(p_latency_ms, 1)::numeric))::integer + 1));
  v_latencies integer[] := array_fill(0, ARRAY[20]);
  v_recent record;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT * INTO STRICT v_provider FROM providers WHERE name = p_provider FOR NO KEY UPDATE;
  DELETE FROM provider_requests WHERE id = p_request RETURNING call, started_at INTO v_call, v_started;
  IF p_outcome = 'released' THEN
    RETURN QUERY SELECT v_provider.state, v_provider.state, false;
    RETURN;
  END IF;
  v_is_current := coalesce(v_started >= v_provider.changed_at, false);

  v_latencies[v_bucket] := 1;
  INSERT INTO provider_outcomes AS so_far (provider, since, succeeded, failed, latencies,
    audio_seconds, input_tokens, output_tokens, answered_at)
  VALUES (p_provider,
    CASE WHEN v_is_current THEN greatest(v_stretch, v_provider.changed_at)
      ELSE date_bin('10 s', coalesce(v_started, v_provider.changed_at), 'epoch') END,
    v_is_well::integer, 1 - v_is_well::integer, v_latencies,
    p_audio_seconds, p_input_tokens, p_output_tokens,
    CASE p_outcome WHEN 'succeeded' THEN clock_timestamp() END)
  ON CONFLICT (provider, since) DO UPDATE SET
    succeeded = so_far.succeeded + EXCLUDED.succeeded,
    failed = so_far.failed + EXCLUDED.failed,
    latencies[v_bucket] = so_far.latencies[v_bucket] + 1,
    audio_seconds = so_far.audio_seconds + EXCLUDED.audio_seconds,
    input_tokens = so_far.input_tokens + EXCLUDED.input_tokens,
    output_tokens = so_far.output_tokens + EXCLUDED.output_tokens,
    answered_at = coalesce(EXCLUDED.answered_at, so_far.answered_at)
  RETURNING xmax = 0 INTO v_is_new;
  IF v_is_new THEN
    DELETE FROM provider_outcomes
    WHERE provider = p_provider AND since < clock_timestamp() - interval '1 day';
  END IF;

  IF p_outcome IN ('outage', 'configuration') THEN
    SELECT EXISTS (SELECT FROM provider_outcomes WHERE provider = p_provider AND answered_at > refused_at)
    INTO v_is_own
    FROM (SELECT max(ended_at) AS refused_at FROM attempts
      WHERE call = v_call AND p_provider = ANY (refused_by)) AS before;
    UPDATE attempts SET refused_by = refused_by || p_provider
    WHERE call = v_call AND ended_at IS NULL AND p_provider <> ALL (refused_by);
  END IF;

  IF v_is_well THEN
    UPDATE providers SET
      state = 'closed',
      changed_at = CASE state WHEN 'half_open' THEN clock_timestamp() ELSE changed_at END,
      ill_since = NULL, reason = NULL, retry_at = NULL, outages = 0,
      allowed = least(ceiling, allowed + 1),
      -- Healed for good once the ramp is at its end.
      openings = CASE WHEN state = 'closed' AND allowed + 1 >= ceiling THEN 0 ELSE openings END
    WHERE name = p_provider AND v_is_current
      AND (state = 'half_open' OR (state = 'closed' AND (allowed < ceiling OR outages > 0 OR openings > 0)));
  ELSE
    UPDATE providers SET last_error = p_error,
      outages = CASE WHEN NOT v_is_current THEN outages WHEN p_outcome = 'outage' THEN outages + 1 ELSE 0 END
    WHERE name = p_provider RETURNING * INTO v_provider;
    SELECT sum(succeeded) AS succeeded, sum(failed) AS failed INTO v_recent FROM provider_outcomes
    WHERE provider = p_provider AND since >= v_stretch - interval '10 s' AND since >= v_provider.changed_at;
    IF p_outcome = 'configuration' THEN
      PERFORM stop_asking(p_provider, 'paused', p_error, coalesce(p_retry_after, 60), false);
    ELSIF p_retry_after IS NOT NULL THEN
      PERFORM stop_asking(p_provider, 'open', p_error, least(3600, greatest(1, p_retry_after)), false);
    ELSIF v_is_current AND (v_provider.state = 'half_open'
      OR (v_provider.state = 'closed' AND (v_provider.outages >= 3
        OR (v_recent.succeeded + v_recent.failed >= 20
          AND v_recent.failed >= 0.6 * (v_recent.succeeded + v_recent.failed)))))
    THEN
      -- 1, 2, 4 … 30 s: so that a service that is back is found soon, and not knocked over.
      PERFORM stop_asking(p_provider, 'open', p_error, least(30, 2 ^ least(v_provider.openings, 10)), true);
    END IF;
  END IF;
  RETURN QUERY SELECT v_provider.state, providers.state, v_is_own FROM providers WHERE name = p_provider;
END
$$;

-- What was found out of a call, step by step, so that a retry repeats only what failed.
CREATE TABLE analysis_steps (
  call       bigint NOT NULL REFERENCES calls ON DELETE CASCADE,
  step       text NOT NULL CHECK (step IN ('transcript', 'mood', 'summary')),
  track      text NOT NULL,
  provider   text NOT NULL,
  model      text,
  result     jsonb NOT NULL,
  usage      jsonb NOT NULL,
  latency_ms float8 NOT NULL,
  stored_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (call, step, track)
);
COMMENT ON COLUMN analysis_steps.track IS 'of a transcript; empty for what concerns the call';

ALTER TABLE calls ADD COLUMN result_swapped boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN calls.result_swapped IS 'tracks_swapped as it was when the mood was judged';

-- Keeps a step of the attempt that holds p_token. False: the lease was lost, nothing is stored.
CREATE FUNCTION store_step(
  p_call bigint, p_token bigint, p_step text, p_track text, p_provider text, p_model text,
  p_result jsonb, p_usage jsonb, p_latency_ms float8
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM calls WHERE id = p_call AND lease_token = p_token AND status = 'PROCESSING_AI'
    AND lease_owner IS NOT NULL FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO analysis_steps (call, step, track, provider, model, result, usage, latency_ms)
  VALUES (p_call, p_step, p_track, p_provider, p_model, p_result, p_usage, p_latency_ms)
  ON CONFLICT DO NOTHING;
  IF p_step = 'mood' THEN
    UPDATE calls SET result_swapped = (p_result->>'swapped')::boolean
    WHERE id = p_call AND result_swapped <> (p_result->>'swapped')::boolean;
  END IF;
  RETURN true;
END
$$;

-- Has calls analysed at once that wait for another attempt: one, or up to p_limit failed ones, oldest first. Returns
-- every call that was asked for with its status, and whether an attempt is now due.
CREATE FUNCTION reprocess_calls(p_call_id text, p_completed_before timestamptz, p_limit integer)
RETURNS TABLE (call_id text, status call_status, queued boolean)
LANGUAGE plpgsql AS $$
DECLARE
  v_call calls;
BEGIN
  FOR v_call IN
    SELECT * FROM calls
    WHERE CASE WHEN p_call_id IS NULL
      THEN calls.status = 'FAILED' AND calls.completed_at < p_completed_before
      ELSE calls.call_id = p_call_id COLLATE "C" END
    ORDER BY calls.id LIMIT p_limit
    FOR NO KEY UPDATE
  LOOP
    call_id := v_call.call_id;
    status := v_call.status;
    queued := v_call.ai_processed_at IS NULL AND v_call.lease_owner IS NULL
      AND v_call.status IN ('COMPLETED', 'PROCESSING_AI', 'FAILED');
    IF queued THEN
      -- A completed call is due already; its grace, in which packets may still come, is not cut short.
      UPDATE calls SET burst_attempts = 0, updated_at = clock_timestamp(),
        due_at = CASE v_call.status WHEN 'COMPLETED' THEN v_call.due_at ELSE clock_timestamp() END
      WHERE calls.id = v_call.id;
      PERFORM note_media_event(v_call.id, jsonb_build_object('event', 'reprocess_asked'));
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;
