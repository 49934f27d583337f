// How deep a text nests, before it is parsed: a client must not be able to keep the gateway busy with a
// megabyte of brackets. Pure.

/** Where a text first nests deeper than `deepest`; undefined when it does not. Strings are jumped over. */
export function tooDeepAt(text: string, deepest: number): number | undefined {
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === '"') at = quoteAfter(text, at)
    else if (character === '[' || character === '{') {
      depth += 1
      if (depth > deepest) return at
    } else if (character === ']' || character === '}') depth -= 1
  }
  return undefined
}

function quoteAfter(text: string, at: number): number {
  let end = at
  do {
    end = text.indexOf('"', end + 1)
    if (end === -1) return text.length
  } while (isEscaped(text, end))
  return end
}

function isEscaped(text: string, at: number): boolean {
  let first = at
  while (text[first - 1] === '\\') first -= 1
  return (at - first) % 2 === 1
}
