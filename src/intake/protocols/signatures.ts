// How a PBX proves who it is when it connects: by a keyed hash over the URL that it was told to connect to. Pure.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { MediaSecrets, Upgrade } from '../media/protocol.ts'

/**
 * What a PBX may have signed for the URL of an upgrade: with and without its port, with and without a slash at the
 * end of its path, `wss` first.
 * @param publicUrl where the PBX finds the gateway; its path stands before that of the request
 */
export function signedUrls(
  { target, headers }: Pick<Upgrade, 'target' | 'headers'>,
  publicUrl: MediaSecrets['publicUrl'],
): readonly string[] {
  const base = /^\w+:\/\/(?<host>[^/]*?)(?<port>:\d+)?(?<prefix>\/.*)?$/.exec(
    publicUrl ?? `wss://${headers.host}`,
  )
  const { host = '', port, prefix = '' } = base?.groups ?? {}
  const [path = '', ...query] = `${prefix}${target}`.split(/(?=\?)/)
  const paths = [path, path.endsWith('/') ? path.slice(0, -1) : `${path}/`]
  return ['wss', 'ws'].flatMap((scheme) => {
    const standardPort = scheme === 'wss' ? ':443' : ':80'
    return [...new Set([port ?? '', '', port ?? standardPort])].flatMap((end) =>
      paths.map((one) => `${scheme}://${host}${end}${one}${query.join('')}`),
    )
  })
}

/** `X-Twilio-Signature` of an upgrade: base64 of HMAC-SHA1. */
export function twilioSignature(authToken: string, url: string): string {
  return createHmac('sha1', authToken).update(url).digest('base64')
}

/** `x-fonoster-signature`, or `x-fonoster-app-signature` where the app is given: HMAC-SHA256 in lower-case hex. */
export function fonosterSignature(
  secret: string,
  seconds: string,
  url: string,
  app?: { readonly ref: string; readonly workspace: string },
): string {
  const text =
    app === undefined ? `${seconds}.${url}` : [seconds, url, app.ref, app.workspace].join('\n')
  return createHmac('sha256', secret).update(text).digest('hex')
}

/** Compares a signature that came with the ones that are right, in a time that tells nothing about these. */
export function isOneOf(came: string, right: readonly string[]): boolean {
  const bytes = Buffer.from(came)
  return right.map((one) => isEqual(bytes, Buffer.from(one))).includes(true)
}

function isEqual(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}
