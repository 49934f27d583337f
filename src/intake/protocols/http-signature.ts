// HTTP message signatures with HMAC-SHA256, as Genesys makes them (draft-ietf-httpbis-message-signatures): which parts
// of a request are signed, and with what. Pure.
import { createHmac, timingSafeEqual } from 'node:crypto'

/** One signature of a request. */
export type HttpSignature = {
  /** The names of the parts that are signed, in order. */
  readonly components: readonly string[]
  /** Texts and whole numbers by their names: keyid, nonce, alg, created and expires (in seconds since 1970) … */
  readonly parameters: Readonly<Record<string, string | number>>
  /** The components and parameters as they were sent. */
  readonly input: string
  readonly signature: Buffer
}

const label = '([a-z*][a-z0-9_.*-]*)'
const text = String.raw`"(?:[ !#-\[\]-~]|\\["\\])*"`
const inputMember = new RegExp(
  String.raw`^ *${label}=(\((?: *"[a-z0-9@_-]+")* *\)(?:;[a-z*][a-z0-9_.*-]*=(?:${text}|-?[0-9]{1,15}))*) *(?:,|$)`,
)
const component = /"([a-z0-9@_-]+)"/g
const parameter = new RegExp(`;${label}=(?:(${text})|(-?[0-9]{1,15}))`, 'g')
const signatureMember = new RegExp(`${label}=:([A-Za-z0-9+/]*={0,2}):`, 'g')

/**
 * Reads the first signature of a request.
 * @param input the header Signature-Input
 * @param signatures the header Signature
 * @returns `undefined` when they are not what Genesys sends
 */
export function parseSignature(input: string, signatures: string): HttpSignature | undefined {
  const [, name, value = ''] = inputMember.exec(input.trim()) ?? []
  const [, , base64] = [...signatures.matchAll(signatureMember)].find((of) => of[1] === name) ?? []
  if (name === undefined || base64 === undefined) return undefined
  const end = value.indexOf(')') + 1
  return {
    components: [...value.slice(0, end).matchAll(component)].map(([, part = '']) => part),
    parameters: Object.fromEntries(
      [...value.slice(end).matchAll(parameter)].map(([, key = '', quoted, number]) => [
        key,
        quoted === undefined ? Number(number) : quoted.slice(1, -1).replace(/\\(.)/g, '$1'),
      ]),
    ),
    input: value,
    signature: Buffer.from(base64, 'base64'),
  }
}

/**
 * The text over which a signature is made.
 * @param partOf the value of a part of the request; `undefined` when it has none
 * @returns `undefined` when a part is missing
 */
export function signatureBase(
  { components, input }: Pick<HttpSignature, 'components' | 'input'>,
  partOf: (component: string) => string | undefined,
): string | undefined {
  const lines = components.map((name) => {
    const value = partOf(name)
    return value === undefined ? undefined : `"${name}": ${value.trim()}`
  })
  if (lines.includes(undefined)) return undefined
  return [...lines, `"@signature-params": ${input}`].join('\n')
}

/** Whether a text was signed with a key; takes as long whatever the answer is. */
export function isSignedWith(key: Buffer, base: string, signature: Buffer): boolean {
  const own = createHmac('sha256', key).update(base).digest()
  return own.length === signature.length && timingSafeEqual(own, signature)
}
