// The results on disk: latest.json holds every section as it was last measured; latest.md and the SVG files are
// written from it, so that a run of some sections keeps the others. A report of its own is written in the same way.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Machine } from './machine.ts'
import type { Row, Section } from './section.ts'
import { drawPlot } from './svg.ts'

const folder = join(import.meta.dirname, '..', 'results')

/** A section and the circumstances of its measurement. */
export type Measured = {
  readonly section: Section
  readonly measuredAt: string
  readonly version: 'short' | 'full'
  readonly machine: Machine
  /** What the host gave to others while it was measured, as a share of all processor time. */
  readonly stolen: number
}

/** A JSON file and a Markdown file. */
export type Report = {
  /** Of the files, without their extensions. */
  readonly name: string
  /** What measures it. */
  readonly command: string
  /** What its figures and ratios are, in a sentence. */
  readonly figures: string
}

/** All sections of `npm run bench`, and those that join them. */
export const usualReport: Report = {
  name: 'latest',
  command: 'npm run bench',
  figures:
    'Each figure stands beside its baseline of the same run, measured in turns with it; ratios are medians of the \
rounds.',
}

/** The sections by their names. */
export type Results = Readonly<Record<string, Measured>>

const order = [
  'packets',
  'streams',
  'live',
  'feed',
  'analysis',
  'scale',
  'overload',
  'soak',
  'workers',
  'start',
]

/** What was measured before, if it can be read. */
export async function readResults({ name }: Report): Promise<Results> {
  try {
    return JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8')) as Results
  } catch {
    return {}
  }
}

/** Writes all results and returns where the report is. */
export async function writeResults(results: Results, report: Report): Promise<string> {
  await mkdir(folder, { recursive: true })
  const known = order.filter((name) => name in results)
  const added = Object.keys(results).filter((name) => !order.includes(name))
  const sorted = [...known, ...added].flatMap((name) => {
    const measured = results[name]
    return measured === undefined ? [] : [[name, measured] as const]
  })
  await writeFile(
    join(folder, `${report.name}.json`),
    `${JSON.stringify(Object.fromEntries(sorted), null, 1)}\n`,
  )
  for (const [, { section }] of sorted)
    for (const plot of section.plots)
      await writeFile(join(folder, `${plot.name}.svg`), drawPlot(plot))
  const path = join(folder, `${report.name}.md`)
  const sections = sorted.map(([, measured]) => measured)
  await writeFile(path, writeReport(sections, report))
  return path
}

function writeReport(all: readonly Measured[], { command, figures }: Report): string {
  const newest = all.toSorted((a, b) => a.measuredAt.localeCompare(b.measuredAt)).at(-1)
  if (newest === undefined) return '# Nothing was measured yet\n'
  return `# Measured by \`${command}\`

${newest.machine.description}.

${momentOf(newest)}

The load, the gateway and PostgreSQL share these cores, and everything goes over the loopback device: what the \
load takes, the gateway does not have. ${figures}

${all.map((measured) => writeSection(measured, newest)).join('\n')}`
}

function writeSection(measured: Measured, newest: Measured): string {
  const { section, machine, measuredAt } = measured
  const { description } = machine
  const elsewhere = description === newest.machine.description ? '' : `${description}. `
  return `## ${section.title}

${section.about}
${measuredAt === newest.measuredAt ? '' : `\n${elsewhere}${momentOf(measured)}\n`}
${writeTable(section.rows)}
${section.plots.map((plot) => `\n![${plot.title}](${plot.name}.svg)\n`).join('')}`
}

function momentOf({ measuredAt, version, machine, stolen }: Measured): string {
  return `Measured ${measuredAt.slice(0, 16).replace('T', ' ')} UTC by the ${version} version at commit \
${machine.commit}: ${machine.moment}, the host took ${(stolen * 100).toFixed(1)} % of the processor time.`
}

function writeTable(rows: readonly Row[]): string {
  const columns = [
    { head: 'what', line: '---', cell: ({ what }: Row) => what },
    { head: 'figure', line: '---:', cell: ({ figure }: Row) => figure },
    { head: 'baseline', line: '---:', cell: ({ baseline }: Row) => baseline ?? '' },
    {
      head: 'ratio',
      line: '---:',
      cell: ({ ratio }: Row) => (ratio === undefined ? '' : shown(ratio)),
    },
    { head: 'bar', line: '---', cell: barOf },
  ].filter(({ cell }, place) => place < 2 || rows.some((row) => cell(row) !== ''))
  const lines = [
    columns.map(({ head }) => head),
    columns.map(({ line }) => line),
    ...rows.map((row) => columns.map(({ cell }) => cell(row))),
  ]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function barOf({ bar, met }: Row): string {
  if (bar === undefined) return ''
  return met === undefined ? bar : `${bar}: ${met ? 'met' : '**missed**'}`
}

function shown(ratio: number): string {
  return ratio.toFixed(ratio < 10 ? 2 : 1)
}
