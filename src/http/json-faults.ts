// Where a text is not JSON, or nests too deep, found in one pass: a client must not be able to keep the
// gateway busy with a megabyte of brackets, neither to parse it nor to say what is wrong with it. Pure.

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

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end'

/** How far a part of the text is right, and whether it is whole there. */
type Read = { readonly end: number; readonly whole: boolean }

const closing: Readonly<Record<string, string>> = { '[': ']', '{': '}' }

/**
 * The length of the longest prefix that some JSON text starts with: where the first bad character is, or the
 * end of a text that only ends too early (or of one that is right).
 * @see https://www.rfc-editor.org/rfc/rfc8259
 */
export function firstBadCharacter(text: string): number {
  const open: string[] = []
  let expected: Expected = 'value'
  let at = 0
  while (true) {
    at = afterSpace(text, at)
    const character = text[at]
    if (character === undefined) return at
    const container = open.at(-1)
    if (expected === ':') {
      if (character !== ':') return at
      expected = 'value'
      at += 1
    } else if (character === (container && closing[container]) && mayClose(expected)) {
      open.pop()
      expected = ', or end'
      at += 1
    } else if (expected === ', or end') {
      if (character !== ',' || container === undefined) return at
      expected = container === '{' ? 'key' : 'value'
      at += 1
    } else if (expected === 'key' || expected === 'key or }') {
      if (character !== '"') return at
      const key = readString(text, at)
      if (!key.whole) return key.end
      expected = ':'
      at = key.end
    } else if (character === '[' || character === '{') {
      open.push(character)
      expected = character === '{' ? 'key or }' : 'value or ]'
      at += 1
    } else {
      const value = readScalar(text, at, character)
      if (!value.whole) return value.end
      expected = ', or end'
      at = value.end
    }
  }
}

function mayClose(expected: Expected): boolean {
  return expected === 'value or ]' || expected === 'key or }' || expected === ', or end'
}

function afterSpace(text: string, at: number): number {
  let end = at
  while (end < text.length && isSpace(text.charCodeAt(end))) end += 1
  return end
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

function readScalar(text: string, at: number, first: string): Read {
  if (first === '"') return readString(text, at)
  if (first === '-' || isDigit(text, at)) return readNumber(text, at)
  const word = ['true', 'false', 'null'].find((literal) => literal[0] === first) ?? ''
  let length = 0
  while (length < word.length && text[at + length] === word[length]) length += 1
  return { end: at + length, whole: length > 0 && length === word.length }
}

function readString(text: string, at: number): Read {
  for (let end = at + 1; end < text.length; end += 1) {
    const character = text[end] ?? ''
    if (character === '"') return { end: end + 1, whole: true }
    if (character < ' ') return { end, whole: false }
    if (character !== '\\') continue
    const hexadecimal = text[end + 1] === 'u' ? 4 : 0
    if (hexadecimal === 0 && !'"\\/bfnrt'.includes(text[end + 1] ?? ' '))
      return { end: end + 1, whole: false }
    end += 1
    for (let digits = 0; digits < hexadecimal; digits += 1) {
      if (!/[\da-fA-F]/.test(text[end + 1] ?? '')) return { end: end + 1, whole: false }
      end += 1
    }
  }
  return { end: text.length, whole: false }
}

function readNumber(text: string, at: number): Read {
  let end = text[at] === '-' ? at + 1 : at
  const afterInteger = text[end] === '0' ? end + 1 : afterDigits(text, end)
  if (afterInteger === end) return { end, whole: false }
  end = afterInteger
  if (text[end] === '.') {
    const afterFraction = afterDigits(text, end + 1)
    if (afterFraction === end + 1) return { end: afterFraction, whole: false }
    end = afterFraction
  }
  if (text[end] === 'e' || text[end] === 'E') {
    const exponent = text[end + 1] === '-' || text[end + 1] === '+' ? end + 2 : end + 1
    const afterExponent = afterDigits(text, exponent)
    return { end: afterExponent, whole: afterExponent > exponent }
  }
  return { end, whole: true }
}

function afterDigits(text: string, at: number): number {
  let end = at
  while (isDigit(text, end)) end += 1
  return end
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 0x30 && code <= 0x39
}
