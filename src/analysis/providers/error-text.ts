// What a service says about its own failure, in whatever shape, made fit for supervisors: short, printable, and
// without anything that was secret or that a caller said. Pure.
import { parseJson } from '../../border/json.ts'
import { cleanText } from './answer-text.ts'

/** What an error body says. */
export type ErrorBody = {
  /** As it came: for decisions, not to be shown. */
  readonly text: string
  /** The service's word for what went wrong, such as `insufficient_quota`. */
  readonly codes: readonly string[]
  readonly requestId: string | undefined
}

/** In characters. The patterns below take a time that grows faster than the text. */
const longestRead = 2_000
const longestShown = 200

/**
 * Reads an error body: `{error: {message, type, code}}`, `{error: "text"}`, `{err_code, err_msg, request_id}`,
 * `{category, message, request_id}`, `{detail: "text" | [{msg}]}`, or plain text. Markup says nothing.
 */
export function readErrorBody(body: Buffer): ErrorBody {
  let value: unknown
  try {
    value = parseJson(body)
  } catch {
    const text = body.subarray(0, longestRead).toString()
    return { text: text.includes('<') ? '' : text, codes: [], requestId: undefined }
  }
  const error = fieldOf(value, 'error') ?? value
  const detail = fieldOf(value, 'detail')
  const texts = [
    error,
    fieldOf(error, 'message'),
    fieldOf(error, 'err_msg'),
    detail,
    fieldOf(fieldOf(detail, '0'), 'msg'),
    fieldOf(value, 'status'),
  ]
  const codes = [
    fieldOf(error, 'code'),
    fieldOf(error, 'type'),
    fieldOf(error, 'err_code'),
    fieldOf(error, 'category'),
  ]
  return {
    text: texts.find(isText) ?? '',
    codes: codes.filter(isText),
    requestId: [fieldOf(value, 'request_id')].find(isText),
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function fieldOf(value: unknown, name: string): unknown {
  const isObject = typeof value === 'object' && value !== null
  return isObject && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined
}

const hidden = [
  // Addresses may carry credentials, and mean nothing to a supervisor.
  /\b[a-z][a-z\d+.-]*:\/\/\S+/gi,
  // Keys, also those that a service has masked in part.
  /\b(sk|pk)-\S+/gi,
  /\b(bearer|token|basic)\s+\S{8,}/gi,
  /\S*\*{3,}\S*/g,
  // Keys of any other form, and audio in base64.
  /[A-Za-z\d+/=_]{24,}/g,
  // Numbers of cards and telephones.
  /\d(?:[ .-]?\d){8,}/g,
]

/**
 * The part of an error text that supervisors may see, at most 200 characters.
 * @param secrets texts that must not appear, such as the API key
 * @param sent what was sent to the service: a text that quotes it is not shown at all
 */
export function shownError(text: string, secrets: readonly string[], sent: string): string {
  let shown = text.slice(0, longestRead)
  for (const secret of secrets) if (secret !== '') shown = shown.replaceAll(secret, '…')
  for (const pattern of hidden) shown = shown.replace(pattern, '…')
  return quotes(shown, sent) ? '' : cleanText(shown, longestShown)
}

const quotedWords = 4

/** Whether a text repeats four words in a row of another. */
function quotes(text: string, other: string): boolean {
  if (other === '') return false
  const source = ` ${wordsOf(other).join(' ')} `
  const words = wordsOf(text)
  return words.some((_, index) => {
    const run = words.slice(index, index + quotedWords)
    return run.length === quotedWords && source.includes(` ${run.join(' ')} `)
  })
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []
}
