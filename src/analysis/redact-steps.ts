// Redaction as the steps of an analysis need it: of what one track said, seen among what the others said before. Pure.
import type { RedactionModes, TrackUtterance } from './redaction/classes.ts'
import { redact } from './redaction/redact.ts'
import type { StoredFinding, StoredUtterance } from './steps.ts'
import type { WorkOptions } from './work-options.ts'

type Seen = TrackUtterance & { readonly of: StoredUtterance; readonly isNew: boolean }

/** Builds the two redactions, with the same modes. */
export function redaction(modes: RedactionModes): Pick<WorkOptions, 'redact' | 'redactText'> {
  return {
    redact: (said, before) => {
      const all = [...before.map((of) => see(of, false)), ...said.map((of) => see(of, true))]
      const { utterances, findings } = redact(
        all.toSorted((one, other) => one.start - other.start),
        modes,
      )
      return {
        utterances: utterances
          .filter(({ isNew }) => isNew)
          .map(({ of, text }) => ({ ...of, text })),
        findings: findings.flatMap(({ class: name, places }) =>
          places
            .filter(({ utterance }) => utterances[utterance]?.isNew === true)
            .map(({ from, to }): StoredFinding => ({ class: name, start: from, end: to })),
        ),
      }
    },
    redactText: (text) => {
      const { utterances } = redact([{ start: 0, end: 0, track: '', text }], modes)
      return utterances[0]?.text ?? text
    },
  }
}

/** Who speaks is what ties digits together, and on a track of their own that is one. */
function see(of: StoredUtterance, isNew: boolean): Seen {
  const { start, end, text, track, speaker } = of
  return { start, end, text, track: speaker ?? track ?? '', of, isNew }
}
