// What the doctor says of one thing that it looked at.

/** How a thing is: `problem` keeps the gateway from its work, `warning` may, `skipped` was not looked at. */
export type Verdict = 'ok' | 'warning' | 'problem' | 'skipped'

/** One thing that was looked at. */
export type Finding = {
  /** What was looked at, in a word or two. */
  readonly check: string
  readonly verdict: Verdict
  /** What was seen, a sentence. */
  readonly text: string
  /** The line that mends it, to be typed or put into `.env`. */
  readonly fix?: string
}

/** A finding of each verdict. */
export const found = {
  ok: (check: string, text: string): Finding => ({ check, verdict: 'ok', text }),
  skipped: (check: string, text: string): Finding => ({ check, verdict: 'skipped', text }),
  warning: (check: string, text: string, fix: string): Finding => ({
    check,
    verdict: 'warning',
    text,
    fix,
  }),
  problem: (check: string, text: string, fix: string): Finding => ({
    check,
    verdict: 'problem',
    text,
    fix,
  }),
}
