// SoX as a judge of audio, where it is installed.
import { execFileSync } from 'node:child_process'

/** Why tests that need SoX are skipped; false when it is there. */
export const withoutSox: string | false = isInstalled() ? false : 'sox is not installed'

function isInstalled(): boolean {
  try {
    execFileSync('sox', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Arguments of raw audio of one channel. */
export function raw(encoding: 'u-law' | 'a-law' | 'signed', rate = 8000): string[] {
  const bits = encoding === 'signed' ? '16' : '8'
  return ['-t', 'raw', '-e', encoding, '-b', bits, '-r', `${rate}`, '-c', '1']
}

/** Converts audio, without dither. */
export function sox(input: Uint8Array, from: readonly string[], to: readonly string[]): Buffer {
  return execFileSync('sox', ['-V1', '-D', ...from, '-', ...to, '-'], {
    input,
    maxBuffer: 2 ** 28,
  })
}

/** What SoX says or writes when it is run with these arguments. */
export function runSox(...args: readonly string[]): Buffer {
  return execFileSync('sox', args, { maxBuffer: 2 ** 28 })
}

/** Little-endian bytes as samples. */
export function samplesOf(bytes: Uint8Array): Int16Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Int16Array.from({ length: bytes.length >> 1 }, (_, index) =>
    view.getInt16(index * 2, true),
  )
}
