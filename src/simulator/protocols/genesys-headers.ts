// What Genesys says in the headers of the upgrade, and the message signature over it.
import { randomBytes, randomUUID } from 'node:crypto'
import { configuredUrl } from '../addresses.ts'
import type { ProtocolCall } from '../protocol.ts'
import { messageSignature } from '../signatures.ts'

const path = '/media/genesys'
const lifetimeSeconds = 10
const nonceBytes = 16
/** For an integration without a key: the header is never absent. */
const noApiKey = 'SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh'

/** The headers; signed when the call has a client secret. */
export function genesysHeaders(
  call: ProtocolCall,
  { organizationId, sessionId }: { organizationId: string; sessionId: string },
): Record<string, string> {
  const { genesysApiKey: apiKey = noApiKey, genesysClientSecret: secret } = call.secrets ?? {}
  const headers = {
    'audiohook-organization-id': organizationId,
    'audiohook-session-id': sessionId,
    'audiohook-correlation-id': randomUUID(),
    'x-api-key': apiKey,
  }
  if (secret === undefined) return headers
  const { host, pathname } = new URL(configuredUrl(call, path))
  const created = Math.floor(call.clock.now())
  const nonce = randomBytes(nonceBytes).toString('base64')
  const signature = messageSignature({
    components: [['@request-target', pathname], ['@authority', host], ...Object.entries(headers)],
    parameters:
      `;keyid="${apiKey}";nonce="${nonce}";alg="hmac-sha256"` +
      `;created=${created};expires=${created + lifetimeSeconds}`,
    key: Buffer.from(secret, 'base64'),
  })
  return { ...headers, ...signature }
}
