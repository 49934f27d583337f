-- A refusal counts against a call only where the gateway that was refused is answered otherwise. Before, the answers to
-- any gateway did: where one had a wrong key, and another the right one, calls paid for the key.
DROP FUNCTION report_request(bigint, text, text, text, float8, float8, float8, bigint, bigint);
ALTER TABLE provider_outcomes DROP COLUMN answered_at;

-- Tells what became of a request, and decides by it whether the provider is asked on. What says nothing of the
-- present state, because it was sent before it, neither opens nor closes; but a service that answers now that its
-- settings are wrong, or for how long it wants to be left alone, is heard.
--   p_outcome  succeeded; permanent (this call only: the provider is well); retryable; outage; configuration;
--              released (given up by us: it says nothing of the provider)
--   p_answered_ago  seconds since the provider last answered the one who tells; NULL: never, or not known
-- The state that the provider is now in, and the one before; and whether the failure is the call's own: it was refused
-- before, and who tells was answered since. What others are answered proves nothing to a process whose key is wrong, or
-- whose network is.
CREATE FUNCTION report_request(
  p_request bigint, p_provider text, p_outcome text, p_error text, p_latency_ms float8,
  p_retry_after float8, p_audio_seconds float8, p_input_tokens bigint, p_output_tokens bigint,
  p_answered_ago float8 DEFAULT NULL
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
    audio_seconds, input_tokens, output_tokens)
  VALUES (p_provider,
    CASE WHEN v_is_current THEN greatest(v_stretch, v_provider.changed_at)
      ELSE date_bin('10 s', coalesce(v_started, v_provider.changed_at), 'epoch') END,
    v_is_well::integer, 1 - v_is_well::integer, v_latencies,
    p_audio_seconds, p_input_tokens, p_output_tokens)
  ON CONFLICT (provider, since) DO UPDATE SET
    succeeded = so_far.succeeded + EXCLUDED.succeeded,
    failed = so_far.failed + EXCLUDED.failed,
    latencies[v_bucket] = so_far.latencies[v_bucket] + 1,
    audio_seconds = so_far.audio_seconds + EXCLUDED.audio_seconds,
    input_tokens = so_far.input_tokens + EXCLUDED.input_tokens,
    output_tokens = so_far.output_tokens + EXCLUDED.output_tokens
  RETURNING xmax = 0 INTO v_is_new;
  IF v_is_new THEN
    DELETE FROM provider_outcomes
    WHERE provider = p_provider AND since < clock_timestamp() - interval '1 day';
  END IF;

  IF p_outcome IN ('outage', 'configuration') THEN
    SELECT coalesce(max(ended_at) < clock_timestamp() - make_interval(secs => p_answered_ago), false)
    INTO v_is_own FROM attempts WHERE call = v_call AND p_provider = ANY (refused_by);
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
