// The end of a simulation in words: a table with a line a call, every difference, what was said in each
// call, and a verdict. Pure; texts of the gateway are strangers' texts, so control characters are taken out.
import type { CallOutcome } from './call.ts'

type Column = {
  readonly title: string
  readonly cell: (outcome: CallOutcome) => string | number
  /** Left out on a narrow terminal: it stands elsewhere in the report, too. */
  readonly spare?: true
}

const columns: readonly Column[] = [
  { title: 'call', cell: ({ id }) => id },
  { title: 'recording', cell: ({ recording }) => recording, spare: true },
  { title: 'sent', cell: ({ sent }) => sent },
  { title: 'acknowledged', cell: ({ acknowledged }) => acknowledged ?? '' },
  { title: 'duplicates', cell: ({ duplicated }) => duplicated },
  { title: 'dropped', cell: ({ dropped }) => dropped },
  { title: 'missing', cell: ({ missing }) => missing },
  { title: 'state', cell: ({ state }) => plain(state) || '—' },
  { title: 'sentiment', cell: ({ sentiment }) => plain(sentiment) || '—' },
]
const widestText = 100
const narrowestText = 40

/** Writes the report for a display of `width` characters. */
export function writeReport(outcomes: readonly CallOutcome[], width: number): string {
  const textWidth = Math.max(narrowestText, Math.min(width, widestText))
  const transcripts = outcomes.map((outcome) => writeTranscript(outcome, textWidth))
  return ['', ...writeTable(outcomes, width), ...transcripts, '', verdict(outcomes), ''].join('\n')
}

/** Breaks a text between words; the first line begins with `lead`, the others stand below its text. */
function wrap(lead: string, text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && lead.length + line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  const margin = ' '.repeat(lead.length)
  return [...lines, line].map((part, index) => `${index === 0 ? lead : margin}${part}`)
}

function plain(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, '')
}

/** The roomiest layout that fits. */
function writeTable(outcomes: readonly CallOutcome[], width: number): string[] {
  const filled = columns.filter(({ cell }) => outcomes.some((outcome) => cell(outcome) !== ''))
  const full = layOut(filled, outcomes, '  ')
  const needed = filled.filter(({ spare }) => spare !== true)
  const layouts = [full, layOut(needed, outcomes, '  ')]
  const fitting = layouts.find((lines) => lines.every((line) => line.length <= width))
  return fitting ?? layOut(needed, outcomes, ' ')
}

function layOut(
  shown: readonly Column[],
  outcomes: readonly CallOutcome[],
  between: string,
): string[] {
  const filled = shown.map(({ title, cell }) => {
    const cells = outcomes.map(cell)
    const size = Math.max(title.length, ...cells.map((value) => String(value).length))
    const fit = (value: string | number, isNumber: boolean) =>
      isNumber ? String(value).padStart(size) : String(value).padEnd(size)
    const isNumber = typeof cells[0] === 'number'
    return [fit(title, isNumber), '─'.repeat(size), ...cells.map((value) => fit(value, isNumber))]
  })
  return Array.from({ length: outcomes.length + 2 }, (_, row) =>
    filled
      .map((column) => column[row])
      .join(between)
      .trimEnd(),
  )
}

function writeTranscript(outcome: CallOutcome, width: number): string {
  const { id, recording, transcription, differences } = outcome
  const said = plain(transcription || '(no transcript)').split('\n')
  const lines = said.flatMap((line) => {
    const [label = '', speaker] = /^(Customer:|Agent:) /.exec(line) ?? []
    const lead = speaker === undefined ? '  ' : `  ${speaker.padEnd('Customer: '.length)}`
    return wrap(lead, line.slice(label.length), width)
  })
  const wrong = differences.flatMap((difference) => wrap('  ! ', plain(difference), width))
  return ['', `${id}  ${recording}`, ...wrong, ...lines].join('\n')
}

function verdict(outcomes: readonly CallOutcome[]): string {
  const different = outcomes.filter(({ differences }) => differences.length > 0)
  const sum = (figure: (outcome: CallOutcome) => number) =>
    outcomes.reduce((total, outcome) => total + figure(outcome), 0).toLocaleString('en')
  const arrived = outcomes.some(({ acknowledged }) => acknowledged === undefined)
    ? `${sum(({ sent }) => sent)} packets sent`
    : `${sum(({ acknowledged = 0 }) => acknowledged)} packets acknowledged`
  const dropped = sum((outcome) => outcome.dropped)
  if (different.length === 0) {
    const isExact = outcomes.every((outcome) => outcome.isExact)
    const unnoticed = isExact && outcomes.some((outcome) => outcome.missing < outcome.dropped)
    const precisely = isExact ? ' exactly' : ', every gap to within a packet,'
    return (
      `All agrees: ${arrived}, ${dropped} dropped on the way; ` +
      `${outcomes.length} of ${outcomes.length} calls are accounted for${precisely} and transcribed.` +
      (unnoticed
        ? '\n(What is dropped after the last packet of a call, no receiver can miss.)'
        : '')
    )
  }
  const names = different.map(({ id }) => id).join(', ')
  return `${different.length} of ${outcomes.length} calls differ: ${names}. The lines marked with ! say how.`
}
