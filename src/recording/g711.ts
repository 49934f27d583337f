// ITU-T G.711: 8-bit logarithmic speech, µ-law and A-law, to and from 16-bit linear samples. Pure.

function expandMuLaw(code: number): number {
  const inverted = ~code
  const magnitude = ((((inverted & 0x0f) << 3) + 0x84) << ((inverted >> 4) & 7)) - 0x84
  return inverted & 0x80 ? -magnitude : magnitude
}

function expandALaw(code: number): number {
  const bits = code ^ 0x55
  const segment = (bits >> 4) & 7
  const mantissa = ((bits & 0x0f) << 4) + 8
  const magnitude = segment === 0 ? mantissa : (mantissa + 0x100) << (segment - 1)
  return bits & 0x80 ? magnitude : -magnitude
}

const codes = Array.from({ length: 256 }, (_, code) => code)
const muLaw = Int16Array.from(codes, expandMuLaw)
const aLaw = Int16Array.from(codes, expandALaw)

function expand(bytes: Uint8Array, table: Int16Array): Int16Array {
  const samples = new Int16Array(bytes.length)
  for (let index = 0; index < bytes.length; index += 1)
    samples[index] = table[bytes[index] ?? 0] ?? 0
  return samples
}

/** The linear samples of µ-law. */
export function decodeMuLaw(bytes: Uint8Array): Int16Array {
  return expand(bytes, muLaw)
}

/** The linear samples of A-law. */
export function decodeALaw(bytes: Uint8Array): Int16Array {
  return expand(bytes, aLaw)
}

/** A table from the 16 bits of a sample to its code. */
function compressionTable(code: (sample: number) => number): Uint8Array {
  return Uint8Array.from({ length: 0x10000 }, (_, bits) => code((bits << 16) >> 16))
}

function segmentOf(magnitude: number): number {
  return Math.max(24 - Math.clz32(magnitude), 0)
}

function compressMuLaw(sample: number): number {
  const magnitude = Math.min(sample < 0 ? ~sample : sample, 32_635) + 0x84
  const segment = segmentOf(magnitude)
  const code = (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)
  return (sample < 0 ? ~(code | 0x80) : ~code) & 0xff
}

function compressALaw(sample: number): number {
  const magnitude = sample < 0 ? ~sample : sample
  const segment = segmentOf(magnitude)
  const code = (segment << 4) | ((magnitude >> Math.max(segment + 3, 4)) & 0x0f)
  return (sample < 0 ? code : code | 0x80) ^ 0x55
}

const muLawCodes = compressionTable(compressMuLaw)
const aLawCodes = compressionTable(compressALaw)

function compress(samples: Int16Array, table: Uint8Array): Uint8Array {
  const codes = new Uint8Array(samples.length)
  for (let index = 0; index < samples.length; index += 1)
    codes[index] = table[(samples[index] ?? 0) & 0xffff] ?? 0
  return codes
}

/** The µ-law codes of linear samples, exact for samples that were µ-law before. */
export function encodeMuLaw(samples: Int16Array): Uint8Array {
  return compress(samples, muLawCodes)
}

/** The A-law codes of linear samples, exact for samples that were A-law before. */
export function encodeALaw(samples: Int16Array): Uint8Array {
  return compress(samples, aLawCodes)
}
