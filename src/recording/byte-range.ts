// What an HTTP request asks for of a body of known length (RFC 9110, section 14). Pure.

/** The first and the last byte that are sent. */
export type ByteRange = { readonly first: number; readonly last: number }

/**
 * Reads a `Range` header. Of several ranges none is served: the whole is a correct answer to any of them.
 * @returns the range; `undefined` for the whole; `unsatisfiable` when no byte of it exists
 */
export function parseRange(
  header: string | undefined,
  length: number,
): ByteRange | undefined | 'unsatisfiable' {
  const [, from = '', to = ''] =
    /^bytes=(\d*)-(\d*)$/i.exec(header?.replaceAll(' ', '') ?? '') ?? []
  if (from === '' && to === '') return undefined
  if (from === '') {
    const suffix = Math.min(Number(to), length)
    return suffix === 0 ? 'unsatisfiable' : { first: length - suffix, last: length - 1 }
  }
  const first = Number(from)
  const last = to === '' ? length - 1 : Math.min(Number(to), length - 1)
  if (to !== '' && Number(to) < first) return undefined
  return first >= length ? 'unsatisfiable' : { first, last }
}
