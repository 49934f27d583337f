// Who may connect as Genesys: the API key of the integration, and a signature over the upgrade made with its client
// secret. A signature counts for seconds, and once.
import type { MediaSecrets, Upgrade, WebSocketProtocol } from '../media/protocol.ts'
import {
  type HttpSignature,
  isSignedWith,
  parseSignature,
  signatureBase,
} from './http-signature.ts'
import { isOneOf } from './signatures.ts'

const mustBeSigned = [
  '@request-target',
  '@authority',
  'audiohook-organization-id',
  'audiohook-session-id',
  'audiohook-correlation-id',
  'x-api-key',
]
const shortestNonce = 22
/** How old a signature may be, and by how much the clocks may differ, in seconds. */
const longestAge = 10
const clockSkew = 3
/** Nonces that are remembered, per process; only who knows the secret can fill it. */
const mostNonces = 100_000

/** Nonces that were used, until their signatures are too old to count. */
export class UsedNonces {
  readonly #most: number
  readonly #until = new Map<string, number>()

  constructor(most = mostNonces) {
    this.#most = most
  }

  /** How many are remembered. */
  get size(): number {
    return this.#until.size
  }

  /**
   * Uses a nonce.
   * @param until when its signature is too old, and `now`, in seconds
   * @returns false when it was used before
   */
  use(nonce: string, until: number, now: number): boolean {
    for (const [old, end] of this.#until) {
      if (end >= now && this.#until.size < this.#most) break
      this.#until.delete(old)
    }
    if (this.#until.has(nonce)) return false
    this.#until.set(nonce, until)
    return true
  }
}

/** Builds {@link WebSocketProtocol.authenticate} of Genesys, which remembers what was used. */
export function genesysAuthenticator(
  nonces = new UsedNonces(),
): NonNullable<WebSocketProtocol['authenticate']> {
  return (upgrade, secrets) => {
    const { genesysApiKey, genesysClientSecret } = secrets
    const key = header(upgrade, 'x-api-key')
    if (genesysApiKey !== null && !isOneOf(key ?? '', [genesysApiKey]))
      return 'The header X-API-KEY is not GENESYS_API_KEY'
    if (genesysClientSecret === null) return undefined
    return checkSignature(upgrade, secrets, Buffer.from(genesysClientSecret, 'base64'), nonces)
  }
}

function checkSignature(
  upgrade: Upgrade,
  secrets: MediaSecrets,
  secret: Buffer,
  nonces: UsedNonces,
): string | undefined {
  const input = header(upgrade, 'signature-input')
  const signatures = header(upgrade, 'signature')
  if (input === undefined || signatures === undefined)
    return 'The headers Signature and Signature-Input are missing: GENESYS_CLIENT_SECRET demands them'
  const signed = parseSignature(input, signatures)
  if (signed === undefined) return 'Signature or Signature-Input cannot be read'
  const now = secrets.now() / 1_000
  const fault = checkInput(signed, header(upgrade, 'x-api-key')) ?? checkAge(signed, now)
  if (fault !== undefined) return fault
  const base = signatureBase(signed, (component) => partOf(component, upgrade, secrets))
  if (base === undefined) return 'The signature covers parts that the request does not have'
  if (!isSignedWith(secret, base, signed.signature))
    return 'The signature does not fit: GENESYS_CLIENT_SECRET or PUBLIC_URL differs from what Genesys uses'
  const { nonce, created } = signed.parameters
  return nonces.use(String(nonce), Number(created) + longestAge + clockSkew, now)
    ? undefined
    : 'The signature was used before'
}

function checkInput(
  { components, parameters }: HttpSignature,
  apiKey: string | undefined,
): string | undefined {
  const unsigned = mustBeSigned.filter((name) => !components.includes(name))
  if (unsigned.length > 0) return `The signature should cover ${unsigned.join(', ')} as well`
  if (new Set(components).size < components.length) return 'The signature covers a part twice'
  const { keyid, nonce, alg = 'hmac-sha256' } = parameters
  if (keyid === undefined || keyid !== apiKey) return 'keyid should be the same as X-API-KEY'
  if (alg !== 'hmac-sha256') return 'alg should be hmac-sha256'
  if (typeof nonce !== 'string' || nonce.length < shortestNonce)
    return `nonce should be a text of at least ${shortestNonce} characters`
  return undefined
}

function checkAge({ parameters }: HttpSignature, now: number): string | undefined {
  const { created, expires } = parameters
  if (typeof created !== 'number') return 'The signature does not say when it was created'
  if (created > now + clockSkew)
    return 'The signature was created in the future: one of the clocks is wrong'
  if (created < now - longestAge - clockSkew)
    return 'The signature is too old, or one of the clocks is wrong'
  if (expires !== undefined && !(Number(expires) >= now - clockSkew))
    return 'The signature has expired'
  return undefined
}

/** A part of the upgrade as Genesys sees it: at the public URL, if that is told. */
function partOf(
  component: string,
  upgrade: Upgrade,
  { publicUrl }: MediaSecrets,
): string | undefined {
  const base = publicUrl === null ? undefined : new URL(publicUrl)
  if (component === '@request-target')
    return `${base?.pathname.replace(/\/$/, '') ?? ''}${upgrade.target}`
  if (component === '@authority')
    return base?.host ?? upgrade.headers.host?.toLowerCase().replace(/:(443|80)$/, '')
  if (component === '@method') return upgrade.method
  return component.startsWith('@') ? undefined : header(upgrade, component)
}

function header({ headers }: Upgrade, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value?.trim()
}
