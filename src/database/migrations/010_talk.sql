-- Who spoke for how long is a step of the analysis like the others: small, and read by the floor without a transcript.
ALTER TABLE analysis_steps
  DROP CONSTRAINT analysis_steps_step_check,
  ADD CONSTRAINT analysis_steps_step_check
    CHECK (step IN ('transcript', 'mood', 'summary', 'talk')) NOT VALID;
