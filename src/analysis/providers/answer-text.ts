// Text of a stranger, made fit to be stored and shown: no control characters, no tricks with the direction of
// writing, no half characters, and not longer than wanted. Pure.

/** Control characters, line ends among them. */
const controls = /[\p{Cc}\p{Zl}\p{Zp}\s]+/gu
/** Marks that change the direction of the text around them, and marks that nobody sees. */
const unseen = /[\u200B\u200E\u200F\u202A-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB]/gu

/** One line of text of at most `longest` characters; a longer one ends in `…`. */
export function cleanText(text: string, longest: number): string {
  // What is cut off anyway need not be cleaned.
  const clean = text
    .slice(0, longest * 4)
    .replace(unseen, '')
    .replace(controls, ' ')
    .toWellFormed()
    .trim()
  return clean.length <= longest ? clean : `${clean.slice(0, longest - 1).toWellFormed()}…`
}
