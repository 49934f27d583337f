// Fonoster, with the protocol `twilio`: Twilio's messages with the caller's voice, signed in its own manner.
// https://docs.fonoster.com/reference/twilio-compatibility, https://docs.fonoster.com/streams/verify-signatures
import type { IncomingHttpHeaders } from 'node:http'
import type { MediaSecrets, Upgrade } from '../media/protocol.ts'
import { jsonMedia } from './json-media.ts'
import { fonosterSignature, isOneOf, signedUrls } from './signatures.ts'
import { readTwilioStart } from './twilio.ts'

const mostSkewSeconds = 300

function authenticate(
  upgrade: Upgrade,
  { fonosterSecret: secret, publicUrl, now }: MediaSecrets,
): string | undefined {
  if (secret === null) return undefined
  const header = (name: string) => textOf(upgrade.headers, `x-fonoster-${name}`)
  const seconds = header('timestamp')
  const signature = header('signature')
  if (seconds === undefined || signature === undefined)
    return 'The headers x-fonoster-timestamp and x-fonoster-signature are missing: FONOSTER_ACCESS_KEY_SECRET is set, so only Fonoster may connect'
  const skew = Math.abs(now() / 1_000 - Number(/^\d{1,12}$/.test(seconds) ? seconds : Number.NaN))
  if (!(skew <= mostSkewSeconds))
    return `x-fonoster-timestamp is not within ${mostSkewSeconds} s of this gateway's clock`
  const urls = signedUrls(upgrade, publicUrl)
  const appSignature = header('app-signature')
  const app = { ref: header('app-ref') ?? '', workspace: header('workspace-ref') ?? '' }
  const sign = (of?: typeof app) => urls.map((url) => fonosterSignature(secret, seconds, url, of))
  const isRight =
    isOneOf(signature, sign()) && (appSignature === undefined || isOneOf(appSignature, sign(app)))
  return isRight
    ? undefined
    : 'x-fonoster-signature or x-fonoster-app-signature is wrong: FONOSTER_ACCESS_KEY_SECRET is not the signing secret of the stream, or PUBLIC_URL not what its URL begins with'
}

function textOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

/** Fonoster. */
export const fonoster = jsonMedia({
  name: 'fonoster',
  authenticate,
  readStart: (message, { headers }) => {
    const start = readTwilioStart(message)
    const appRef = textOf(headers, 'x-fonoster-app-ref')
    return appRef === undefined ? start : { ...start, metadata: { ...start.metadata, appRef } }
  },
})
