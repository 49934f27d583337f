-- Completion, claims and results. All times are the database's own: gateways' clocks decide nothing.

-- Completes a call in progress; its analysis is due after the grace.
-- Returns its status before, or no row for an unknown call.
CREATE FUNCTION complete_call(p_call_id text, p_cause text, p_grace float8)
RETURNS TABLE (id bigint, was call_status) LANGUAGE plpgsql AS $$
DECLARE
  v_call calls;
BEGIN
  SELECT * INTO v_call FROM calls WHERE calls.call_id = p_call_id COLLATE "C" FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  IF v_call.status = 'IN_PROGRESS' THEN
    UPDATE calls SET completed_at = clock_timestamp(), completion_cause = p_cause
    WHERE calls.id = v_call.id;
    PERFORM transition_call(v_call.id, 'COMPLETED',
      clock_timestamp() + make_interval(secs => p_grace), jsonb_build_object('cause', p_cause));
  END IF;
  RETURN QUERY SELECT v_call.id, v_call.status;
END
$$;

-- Takes the next step of calls in progress (complete them if they fell silent) and of analysed calls whose
-- rest is over (archive them). Returns how many changed their state.
CREATE FUNCTION meet_deadlines(p_limit integer, p_packet_timeout float8, p_grace float8)
RETURNS integer LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_call calls;
  v_silent_from timestamptz;
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
    SELECT coalesce(max(last_packet_at), v_call.created_at) + make_interval(secs => p_packet_timeout)
    INTO v_silent_from FROM tracks WHERE call = v_call.id;
    IF v_silent_from > clock_timestamp() THEN
      UPDATE calls SET due_at = v_silent_from WHERE id = v_call.id;
    ELSE
      PERFORM complete_call(v_call.call_id, 'silence', p_grace);
      v_changed := v_changed + 1;
    END IF;
  END LOOP;
  RETURN v_changed;
END
$$;

-- Claims up to p_limit calls whose analysis is due, oldest first, for p_owner: completed calls, those
-- whose lease or backoff has run out, failed calls to be re-driven. Each claim raises the fencing token
-- and opens an attempt.
CREATE FUNCTION claim_calls(p_owner text, p_provider text, p_limit integer, p_lease float8)
RETURNS TABLE (
  id bigint, call_id text, lease_token bigint, attempt integer, burst_attempts integer,
  redrives integer, seconds_since_completion float8, seconds_waiting float8
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_call calls;
BEGIN
  FOR v_call IN
    SELECT * FROM calls
    WHERE calls.ai_processed_at IS NULL
      AND calls.status IN ('COMPLETED', 'PROCESSING_AI', 'FAILED')
      AND calls.due_at <= clock_timestamp()
    ORDER BY calls.due_at LIMIT p_limit
    FOR NO KEY UPDATE SKIP LOCKED
  LOOP
    IF v_call.status <> 'PROCESSING_AI' THEN
      PERFORM transition_call(v_call.id, 'PROCESSING_AI', v_call.due_at,
        jsonb_build_object('attempt', v_call.attempts + 1));
    END IF;
    UPDATE calls SET
      due_at = clock_timestamp() + make_interval(secs => p_lease),
      sealed_at = coalesce(calls.sealed_at, clock_timestamp()),
      lease_owner = p_owner,
      lease_token = v_call.lease_token + 1,
      attempts = v_call.attempts + 1,
      burst_attempts = CASE v_call.status WHEN 'FAILED' THEN 0 ELSE v_call.burst_attempts END,
      redrives = v_call.redrives + CASE v_call.status WHEN 'FAILED' THEN 1 ELSE 0 END
    WHERE calls.id = v_call.id
    RETURNING calls.id, calls.call_id, calls.lease_token, calls.attempts, calls.burst_attempts,
      calls.redrives, extract(epoch FROM clock_timestamp() - v_call.completed_at)::float8,
      extract(epoch FROM clock_timestamp() - v_call.due_at)::float8
    INTO id, call_id, lease_token, attempt, burst_attempts, redrives, seconds_since_completion,
      seconds_waiting;
    UPDATE attempts SET ended_at = clock_timestamp(), outcome = 'lost'
    WHERE attempts.call = v_call.id AND attempts.ended_at IS NULL;
    IF FOUND THEN
      INSERT INTO events (call, call_id, kind, version, status, data)
      VALUES (v_call.id, v_call.call_id, 'attempt', v_call.version, v_call.status,
        jsonb_build_object('attempt', v_call.attempts, 'outcome', 'lost'));
    END IF;
    INSERT INTO attempts (call, number, provider, lease_owner, lease_token)
    VALUES (v_call.id, v_call.attempts + 1, p_provider, p_owner, v_call.lease_token + 1);
    RETURN NEXT;
  END LOOP;
END
$$;

-- Extends the leases that are still held; returns the calls of which that is true.
CREATE FUNCTION renew_leases(p_calls bigint[], p_tokens bigint[], p_lease float8)
RETURNS SETOF bigint LANGUAGE sql AS $$
  UPDATE calls SET due_at = clock_timestamp() + make_interval(secs => p_lease)
  FROM unnest(p_calls, p_tokens) AS held (call, token)
  WHERE calls.id = held.call AND calls.lease_token = held.token
    AND calls.status = 'PROCESSING_AI' AND calls.lease_owner IS NOT NULL
  RETURNING calls.id
$$;

-- Stores the result of the attempt that holds p_token. False: the lease was lost, nothing is stored.
CREATE FUNCTION store_result(
  p_call bigint, p_token bigint, p_transcription text, p_sentiment text, p_summary text,
  p_archive_after float8
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_call calls;
BEGIN
  UPDATE calls SET
    transcription = p_transcription, sentiment = p_sentiment, summary = p_summary,
    ai_processed_at = clock_timestamp(), error_message = NULL, lease_owner = NULL
  WHERE id = p_call AND lease_token = p_token AND status = 'PROCESSING_AI'
    AND lease_owner IS NOT NULL AND ai_processed_at IS NULL
  RETURNING * INTO v_call;
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE attempts SET ended_at = clock_timestamp(), outcome = 'succeeded'
  WHERE call = p_call AND lease_token = p_token;
  INSERT INTO events (call, call_id, kind, version, status)
  VALUES (p_call, v_call.call_id, 'result', v_call.version, v_call.status);
  IF p_archive_after > 0 THEN
    PERFORM transition_call(p_call, 'COMPLETED',
      clock_timestamp() + make_interval(secs => p_archive_after));
  ELSE
    PERFORM transition_call(p_call, 'ARCHIVED', NULL);
  END IF;
  RETURN true;
END
$$;

-- Ends the attempt that holds p_token without a result. The call stays in PROCESSING_AI until its next
-- attempt in p_wait seconds, or with p_fail goes to FAILED, to be re-driven in p_wait seconds (NULL: never).
-- False: the lease was lost, nothing is changed.
CREATE FUNCTION end_attempt(
  p_call bigint, p_token bigint, p_outcome text, p_error text, p_uses_up boolean,
  p_fail boolean, p_wait float8
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_call calls;
  v_due timestamptz := clock_timestamp() + make_interval(secs => p_wait);
BEGIN
  UPDATE calls SET
    lease_owner = NULL,
    due_at = CASE WHEN p_fail THEN due_at ELSE v_due END,
    burst_attempts = burst_attempts + CASE WHEN p_uses_up THEN 1 ELSE 0 END,
    error_message = coalesce(p_error, error_message),
    updated_at = clock_timestamp()
  WHERE id = p_call AND lease_token = p_token AND status = 'PROCESSING_AI'
    AND lease_owner IS NOT NULL
  RETURNING * INTO v_call;
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE attempts SET ended_at = clock_timestamp(), outcome = p_outcome, error = p_error
  WHERE call = p_call AND lease_token = p_token;
  INSERT INTO events (call, call_id, kind, version, status, data)
  VALUES (p_call, v_call.call_id, 'attempt', v_call.version, v_call.status, jsonb_build_object(
    'attempt', v_call.attempts, 'outcome', p_outcome, 'error', p_error, 'next_attempt_at', v_due));
  IF p_fail THEN
    PERFORM transition_call(p_call, 'FAILED', v_due,
      jsonb_build_object('error', p_error, 'next_attempt_at', v_due));
  END IF;
  RETURN true;
END
$$;
