import type { IncomingHttpHeaders } from 'node:http'
import { GatewayError } from '../errors.ts'

/** Bodies are taken as they are: a compressed one could grow to any size. */
export function encodingRefusal(headers: IncomingHttpHeaders): GatewayError | undefined {
  const encoding = headers['content-encoding']
  if (encoding === undefined || encoding === 'identity') return undefined
  return new GatewayError('unsupported_media_type', `Content-Encoding ${encoding} is not accepted`)
}
