// Digits that were keyed in: a card number or a PIN, one event a digit.
import type { RedactionMode } from './classes.ts'

/**
 * A DTMF event without its digits: `x` for each if masked, nothing if removed. `*`, `#` and `A` to `D` stay: they
 * are keys of menus.
 */
export function redactDtmf<E extends { readonly digit: string }>(event: E, mode: RedactionMode): E {
  if (mode === 'off') return event
  return { ...event, digit: event.digit.replaceAll(/\p{Nd}/gu, mode === 'mask' ? 'x' : '') }
}
