-- Who claims calls takes their tracks out of all journals at once, in the order of the journals, and not call by call:
-- two who claim calls of the same two journals, in opposite orders, would wait for each other.
CREATE OR REPLACE FUNCTION claim_calls(p_owner text, p_provider text, p_limit integer, p_lease float8)
RETURNS TABLE (
  id bigint, call_id text, lease_token bigint, attempt integer, burst_attempts integer,
  redrives integer, seconds_since_completion float8, seconds_waiting float8
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_claimed bigint[];
  v_call calls;
BEGIN
  SELECT array_agg(due.id ORDER BY due.due_at) INTO v_claimed FROM (
    SELECT calls.id, calls.due_at FROM calls
    WHERE calls.ai_processed_at IS NULL
      AND calls.status IN ('COMPLETED', 'PROCESSING_AI', 'FAILED')
      AND calls.due_at <= clock_timestamp()
    ORDER BY calls.due_at LIMIT p_limit
    FOR NO KEY UPDATE SKIP LOCKED
  ) AS due;
  PERFORM release_calls(v_claimed);
  FOR v_call IN
    SELECT calls.* FROM unnest(v_claimed) WITH ORDINALITY AS claimed (call, place)
    JOIN calls ON calls.id = claimed.call
    ORDER BY place
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
