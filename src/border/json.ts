// From bytes to a JSON value; everything that is not JSON is refused here.
import { isUtf8 } from 'node:buffer'
import { visit } from 'jsonc-parser'
import { tooDeepAt } from './json-depth.ts'

/** Far deeper than any body we describe, and shallow enough to cost nothing. */
const deepestNesting = 64

/** A body that is not JSON, and where it stops being that. */
export class MalformedJson extends Error {
  /** In characters (or bytes, when the body is no UTF-8). */
  readonly offset: number

  constructor(message: string, offset: number) {
    super(message)
    this.name = 'MalformedJson'
    this.offset = offset
  }
}

/** Parses a body; an empty one is `undefined`. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined
  if (!isUtf8(body)) throw new MalformedJson('The body is not valid UTF-8', 0)
  const text = body.toString()
  const deep = tooDeepAt(text, deepestNesting)
  if (deep !== undefined)
    throw new MalformedJson(`The body nests deeper than ${deepestNesting} levels`, deep)
  try {
    return JSON.parse(text)
  } catch {
    throw new MalformedJson('The body is not valid JSON', offsetOfFault(text))
  }
}

/** Where the first token begins that is not JSON; the end of a text that only ends too early. */
function offsetOfFault(text: string): number {
  let first = text.length
  try {
    visit(
      text,
      {
        onError: (_code, offset) => {
          first = offset
          throw new Error('the first one is enough')
        },
      },
      { disallowComments: true, allowTrailingComma: false },
    )
  } catch {
    return first
  }
  return first
}
