// How PBXs prove who they are when they connect. Pure: clock and nonce are arguments.
import { createHmac } from 'node:crypto'

/** `X-Twilio-Signature` of an upgrade: over the URL as it is configured at Twilio, `wss://…`. */
export function twilioSignature(authToken: string, url: string): string {
  return createHmac('sha1', authToken).update(url).digest('base64')
}

/** Which stream of which workspace Fonoster calls for. */
export type FonosterApp = { readonly appRef: string; readonly workspaceRef: string }

/** The headers with which Fonoster signs. @param seconds Unix time, whole */
export function fonosterHeaders(
  secret: string,
  url: string,
  seconds: number,
  { appRef, workspaceRef }: FonosterApp,
): Record<string, string> {
  const sign = (text: string) => createHmac('sha256', secret).update(text).digest('hex')
  return {
    'x-fonoster-timestamp': String(seconds),
    'x-fonoster-signature': sign(`${seconds}.${url}`),
    'x-fonoster-app-ref': appRef,
    'x-fonoster-workspace-ref': workspaceRef,
    'x-fonoster-app-signature': sign([seconds, url, appRef, workspaceRef].join('\n')),
  }
}

/** What an HTTP message signature is made with. */
export type MessageSignatureOptions = {
  /** Names and values of what is signed, in this order; derived ones begin with `@`. */
  readonly components: readonly (readonly [name: string, value: string])[]
  /** As they stand behind the list of names: `;keyid="…";created=…`. */
  readonly parameters: string
  readonly key: Uint8Array
  /** The label; default `sig1`. */
  readonly label?: string
}

/** `Signature-Input` and `Signature` of an HTTP message (HMAC-SHA256). */
export function messageSignature(options: MessageSignatureOptions): Record<string, string> {
  const { components, parameters, key, label = 'sig1' } = options
  const input = `(${components.map(([name]) => `"${name}"`).join(' ')})${parameters}`
  const base = [
    ...components.map(([name, value]) => `"${name}": ${value.trim()}`),
    `"@signature-params": ${input}`,
  ].join('\n')
  const signature = createHmac('sha256', key).update(base).digest('base64')
  return { 'signature-input': `${label}=${input}`, signature: `${label}=:${signature}:` }
}
