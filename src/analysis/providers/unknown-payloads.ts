// What a mock can honestly say about packets that it does not recognise: their texts, when all of them are
// plain text (as example clients send), otherwise how much audio there is. Keeps a bounded text, no payload.

/** Collects the packets of one call. */
export type UnknownPayloads = {
  /** A payload that is audio of a known recording. */
  readonly addKnown: () => void
  readonly add: (payload: Uint8Array) => void
  readonly describe: () => Description
}

/** `transcription` is never empty; `spoken` is false when it only says how much audio there is. */
export type Description = {
  readonly transcription: string
  readonly summary: string
  readonly spoken: boolean
}

const mostCharacters = 10_000
const telephonePacketBytes = 160
const packetSeconds = 0.02
/** So many characters of the base64 alphabet without a space are no word of any language. */
const longestWord = 64

/** Begins the collection for one call. */
export function collectUnknownPayloads(): UnknownPayloads {
  let packets = 0
  let telephonePackets = 0
  let onlyText = true
  let text = ''
  let cut = false

  function addText(piece: string): void {
    if (cut) return
    const joined = text === '' ? piece : `${text} ${piece}`
    cut = joined.length > mostCharacters
    text = cut ? joined.slice(0, mostCharacters).toWellFormed() : joined
  }

  return {
    addKnown: () => {
      packets += 1
      telephonePackets += 1
      onlyText = false
    },
    add: (payload) => {
      packets += 1
      const piece = printableText(payload)
      if (piece === undefined || looksLikeBase64(piece)) {
        onlyText = false
        const bytes = piece === undefined ? payload.length : Buffer.byteLength(piece, 'base64')
        if (bytes === telephonePacketBytes) telephonePackets += 1
      } else if (onlyText) addText(piece)
    },
    describe: () => {
      const count = `${packets} ${packets === 1 ? 'packet' : 'packets'}`
      if (packets === 0)
        return { transcription: '[no audio]', summary: 'The call holds no audio.', spoken: false }
      if (onlyText) {
        const summary = `The call is ${count} of plain text, not audio.`
        return { transcription: cut ? `${text} […]` : text, summary, spoken: true }
      }
      const length =
        telephonePackets === packets
          ? `${(packets * packetSeconds).toFixed(1)} s of audio`
          : 'audio'
      return {
        transcription: `[${length} in ${count}]`,
        summary: `The call is ${length} in ${count}; the mock AI knows none of it.`,
        spoken: false,
      }
    },
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function printableText(payload: Uint8Array): string | undefined {
  try {
    const text = decoder.decode(payload)
    return /[^\P{Cc}\t\r\n]/u.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

function looksLikeBase64(text: string): boolean {
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return false
  return text.length >= longestWord || (text.endsWith('=') && text.length % 4 === 0)
}
