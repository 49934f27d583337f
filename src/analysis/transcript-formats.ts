// A transcript as text, SubRip and WebVTT. Pure.
//
// WebVTT: https://www.w3.org/TR/webvtt1/ ; SubRip has no standard: numbered cues, `hh:mm:ss,mmm`, a blank line between.
import type { Cue } from './transcript-view.ts'

/** The formats beside JSON, and their content types. */
export const transcriptFormats = {
  text: 'text/plain; charset=utf-8',
  srt: 'application/x-subrip; charset=utf-8',
  vtt: 'text/vtt; charset=utf-8',
} as const

/** A name of {@link transcriptFormats}. */
export type TranscriptFormat = keyof typeof transcriptFormats

/** The cues, in their order, in a format. */
export function formatCues(cues: readonly Cue[], format: TranscriptFormat): string {
  if (format === 'text')
    return cues.map((cue) => `[${clock(cue.start, '.')}] ${oneLine(lineOf(cue))}\n`).join('')
  if (format === 'srt')
    return cues
      .map((cue, index) => `${index + 1}\n${times(cue, ',')}\n${oneLine(lineOf(cue))}\n`)
      .join('\n')
  const blocks = cues.map((cue) => `${times(cue, '.')}\n${escapeVtt(oneLine(lineOf(cue)))}\n`)
  return ['WEBVTT\n', ...blocks].join('\n')
}

function lineOf({ speaker, text }: Cue): string {
  return speaker === null ? text : `${speaker}: ${text}`
}

/** Another line would be another speaker's, a blank one would end a cue, and an arrow begin another. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('-->', '→').trim()
}

function escapeVtt(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function times({ start, end }: Cue, point: ',' | '.'): string {
  return `${clock(start, point)} --> ${clock(Math.max(end, start + 0.001), point)}`
}

function clock(seconds: number, point: ',' | '.'): string {
  const ms = Math.round(Math.max(seconds, 0) * 1_000)
  const part = (value: number, digits: number) => String(value).padStart(digits, '0')
  const [hours, minutes] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60]
  const rest = `${part(Math.floor(ms / 1_000) % 60, 2)}${point}${part(ms % 1_000, 3)}`
  return `${part(hours, 2)}:${part(minutes, 2)}:${rest}`
}
