// Who spoke for how long, told from what was transcribed. Pure.
import type { Talk } from '../calls/roles.ts'
import { speakerOf } from './conversation.ts'
import type { StoredUtterance } from './steps.ts'

/**
 * The talk of a call, with the roles that its tracks came with. Times that overlap count once for each speaker, and
 * as no silence.
 * @param length of the audio in seconds; 0: it is not known, and the call ends with the last word
 */
export function talkOf(spoken: readonly StoredUtterance[], length: number): Talk {
  const end = length > 0 ? length : Math.max(0, ...spoken.map((utterance) => utterance.end))
  const of = (speaker: 'customer' | 'agent') =>
    covered(
      spoken.filter((utterance) => speakerOf(utterance, false) === speaker),
      end,
    )
  const isKnown = spoken.every((utterance) => speakerOf(utterance, false) !== undefined)
  return {
    customer: isKnown ? of('customer') : null,
    agent: isKnown ? of('agent') : null,
    silence: end - covered(spoken, end),
    length: end,
  }
}

/** The time that stretches cover together, before an end. In seconds. */
function covered(stretches: readonly Pick<StoredUtterance, 'start' | 'end'>[], end: number) {
  let [sum, reached] = [0, 0]
  for (const stretch of stretches.toSorted((one, other) => one.start - other.start)) {
    const from = Math.max(stretch.start, reached)
    reached = Math.max(reached, Math.min(stretch.end, end))
    sum += Math.max(0, reached - from)
  }
  return sum
}
