// Draws plots as SVG files that are readable on a light and on a dark page: each stands on a ground of its own
// and follows what the reader prefers.
import { count, short } from './format.ts'
import { fitScale, type Scale } from './scale.ts'
import type { Axis, BarPlot, LinePlot, Plot } from './section.ts'

const width = 760
const height = 380
const ground = { left: 68, right: width - 24, top: 84, bottom: height - 52 }
const mostDots = 24

type Area = typeof ground

const style = `
  .ground { fill: #fcfcfb; stroke: #e3e2de }
  text { font: 12px system-ui, sans-serif; fill: #54534f }
  .title { font-size: 15px; font-weight: 600; fill: #1b1a18 }
  .value { font-size: 11px; fill: #1b1a18 }
  .grid { stroke: #e9e8e4 } .axis { stroke: #a3a19a }
  .limit { stroke: #54534f; stroke-dasharray: 5 4 }
  .span { fill: #54534f; opacity: 0.1 }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
  .s0 { --ink: #2a6fc9 } .s1 { --ink: #d0571f } .s2 { --ink: #0f8264 }
  .s3 { --ink: #8a4fbf } .s4 { --ink: #9a6f00 } .s5 { --ink: #c03558 }
  .line { stroke: var(--ink) } .dot, .bar { fill: var(--ink) }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #1a1a19; stroke: #3a3936 }
    text { fill: #b9b7b0 } .title, .value { fill: #f4f3ef }
    .grid { stroke: #2e2d2b } .axis { stroke: #6f6d67 }
    .limit { stroke: #b9b7b0 } .span { fill: #b9b7b0 }
    .s0 { --ink: #6ca8f0 } .s1 { --ink: #f08d57 } .s2 { --ink: #3fbf9b }
    .s3 { --ink: #ba8ce6 } .s4 { --ink: #d6a936 } .s5 { --ink: #ee7d98 }
  }`

/** The SVG file of a plot. */
export function drawPlot(plot: Plot): string {
  const legend = drawLegend(plot)
  const area = { ...ground, top: ground.top + legend.height }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" \
width="${width}" height="${height}" role="img">
<title>${xml(plot.title)}</title>
<style>${style}
</style>
<rect class="ground" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
<text class="title" x="20" y="28">${xml(plot.title)}</text>
${legend.text}
${plot.kind === 'line' ? drawLines(plot, area) : drawBars(plot, area)}
</svg>
`
}

/** The names of the series, and of the limit, in as many rows as they need; and the height of these. */
function drawLegend({ series, limit }: Plot): { readonly text: string; readonly height: number } {
  const left = 20
  const rowHeight = 20
  let x = left
  let y = 41
  const entries = series.map(({ name }, index) => ({ name, mark: `s${index}` }))
  if (limit !== undefined) entries.push({ name: limit.label, mark: '' })
  const marks = entries.map(({ name, mark }) => {
    const needed = 40 + name.length * 6.6
    if (x > left && x + needed > width) {
      x = left
      y += rowHeight
    }
    const sign =
      mark === ''
        ? `<line class="limit" x1="${x - 2}" x2="${x + 14}" y1="${y + 6}" y2="${y + 6}"/>`
        : `<g class="${mark}"><rect class="dot" x="${x}" y="${y}" width="12" height="12" rx="3"/></g>`
    const label = `<text x="${x + 18}" y="${y + 10}">${xml(name)}</text>`
    x += needed
    return sign + label
  })
  return { text: marks.join('\n'), height: y - 41 }
}

function drawLines(plot: LinePlot, area: Area): string {
  const points = plot.series.flatMap((series) => series.points)
  const x = fitScale(
    plot.x,
    points.map(([value]) => value),
    area.left,
    area.right,
    false,
  )
  const y = fitScale(
    plot.y,
    [...points.map(([, value]) => value), ...(plot.limit ? [plot.limit.value] : [])],
    area.bottom,
    area.top,
    true,
  )
  const span =
    plot.span === undefined
      ? ''
      : `<rect class="span" x="${x.at(plot.span.from)}" y="${area.top}" \
width="${x.at(plot.span.to) - x.at(plot.span.from)}" height="${area.bottom - area.top}"/>
<text x="${x.at(plot.span.from) + 6}" y="${area.top + 14}">${xml(plot.span.label)}</text>`
  const lines = plot.series.map((series, index) => {
    const places = series.points
      .filter(([, value]) => Number.isFinite(value))
      .map(([a, b]) => [x.at(a).toFixed(1), y.at(b).toFixed(1)] as const)
    const dots =
      places.length > mostDots
        ? ''
        : places.map(([a, b]) => `<circle class="dot" cx="${a}" cy="${b}" r="3.5"/>`).join('')
    return `<g class="s${index}"><polyline class="line" points="${places.join(' ')}"/>${dots}</g>`
  })
  const ticks = x.ticks
    .map(
      (value) =>
        `<text x="${x.at(value)}" y="${area.bottom + 18}" text-anchor="middle">${short(value)}</text>`,
    )
    .join('\n')
  const label = `<text x="${(area.left + area.right) / 2}" y="${height - 14}" \
text-anchor="middle">${axisLabel(plot.x)}</text>`
  return [span, frame(y, plot.y, area), limitLine(plot, y, area), ...lines, ticks, label].join('\n')
}

function drawBars(plot: BarPlot, area: Area): string {
  const values = plot.series.flatMap((series) => series.values)
  const y = fitScale(
    plot.y,
    [...values, ...(plot.limit ? [plot.limit.value] : [])],
    area.bottom,
    area.top + 12,
    true,
  )
  const slot = (area.right - area.left) / plot.groups.length
  const bar = Math.min(64, (slot * 0.8) / plot.series.length)
  const groups = plot.groups.map((group, place) => {
    const middle = area.left + (place + 0.5) * slot
    const bars = plot.series.map((series, index) => {
      const value = series.values[place] ?? Number.NaN
      if (!Number.isFinite(value)) return ''
      const left = middle + (index - plot.series.length / 2) * bar
      const top = y.at(value)
      return `<g class="s${index}"><rect class="bar" x="${left + 1}" y="${top}" width="${bar - 2}" \
height="${Math.max(0, area.bottom - top)}" rx="2"/></g><text class="value" x="${left + bar / 2}" \
y="${top - 5}" text-anchor="middle">${value >= 100 ? count(value) : short(value)}</text>`
    })
    return `${bars.join('')}<text x="${middle}" y="${area.bottom + 18}" \
text-anchor="middle">${xml(group)}</text>`
  })
  return [frame(y, plot.y, area), ...groups, limitLine(plot, y, area)].join('\n')
}

/** The grid and the values of the y axis. */
function frame(y: Scale, axis: Axis, area: Area): string {
  const lines = y.ticks.map(
    (value) =>
      `<line class="grid" x1="${area.left}" x2="${area.right}" y1="${y.at(value)}" y2="${y.at(value)}"/>` +
      `<text x="${area.left - 8}" y="${y.at(value) + 4}" text-anchor="end">${short(value)}</text>`,
  )
  return `${lines.join('\n')}
<line class="axis" x1="${area.left}" x2="${area.right}" y1="${area.bottom}" y2="${area.bottom}"/>
<text x="20" y="${area.top - 12}">${axisLabel(axis)}</text>`
}

function limitLine({ limit }: Plot, y: Scale, area: Area): string {
  if (limit === undefined) return ''
  const at = y.at(limit.value)
  return `<line class="limit" x1="${area.left}" x2="${area.right}" y1="${at}" y2="${at}"/>`
}

function axisLabel({ label, unit }: Axis): string {
  return xml(unit === '' ? label : `${label} (${unit})`)
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
