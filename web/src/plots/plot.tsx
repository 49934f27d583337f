// A plot over time. Plots of one group have one cursor. The axes take their colours from the page.
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { timeSpan } from './time-span.ts'

/** A line of a plot. */
export type Line = {
  readonly name: string
  /** One value for each time; null where none is known. */
  readonly values: readonly (number | null)[]
  /** The name of a colour of the page, as `--live`. */
  readonly colour: string
  readonly isDashed?: boolean
}

/** What a plot shows. */
export type PlotProps = {
  readonly title: string
  /** Seconds since 1970. */
  readonly times: readonly number[]
  readonly lines: readonly Line[]
  readonly format: (value: number) => string
  readonly group: string
  readonly height?: number
}

/** The plot, with its newest values in words above it. */
export function Plot({ title, times, lines, format, group, height = 130 }: PlotProps) {
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | undefined>(undefined)
  const latest = useRef({ times, lines, format })
  latest.current = { times, lines, format }
  const shape = lines.map(({ name, colour }) => `${name} ${colour}`).join()

  useEffect(() => {
    const element = place.current
    if (element === null) return undefined
    const draw = () => {
      chart.current?.destroy()
      const { lines: now, format: text } = latest.current
      chart.current = new uPlot(
        options(element, now, text, group, height, () => latest.current.times),
        data(latest.current),
        element,
      )
    }
    draw()
    const resizing = new ResizeObserver(() =>
      chart.current?.setSize({ width: element.clientWidth, height }),
    )
    resizing.observe(element)
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    scheme.addEventListener('change', draw)
    window.addEventListener('themechange', draw)
    return () => {
      resizing.disconnect()
      scheme.removeEventListener('change', draw)
      window.removeEventListener('themechange', draw)
      chart.current?.destroy()
      chart.current = undefined
    }
  }, [shape, group, height])

  useEffect(() => chart.current?.setData(data({ times, lines })), [times, lines])

  const newest = lines.map(({ name, values, colour }) => {
    const value = values.findLast((one) => one !== null)
    return { name, colour, text: typeof value === 'number' ? format(value) : '–' }
  })
  return (
    <figure class="plot">
      <figcaption>
        <span class="plot-title">{title}</span>
        {newest.map(({ name, text, colour }) => (
          <span key={name}>
            {lines.length > 1 && <span class="key" style={{ color: `var(${colour})` }} />}
            {lines.length > 1 && <span class="quiet">{name} </span>}
            {text}
          </span>
        ))}
      </figcaption>
      <div ref={place} class="plot-area" role="img" aria-label={describe(title, newest)} />
    </figure>
  )
}

function describe(title: string, newest: readonly { name: string; text: string }[]): string {
  return `${title} over the last hour; now ${newest.map(({ name, text }) => `${name} ${text}`).join(', ')}`
}

function data({ times, lines }: Pick<PlotProps, 'times' | 'lines'>): uPlot.AlignedData {
  return [[...times], ...lines.map(({ values }) => [...values])]
}

function options(
  element: HTMLElement,
  lines: readonly Line[],
  format: (value: number) => string,
  group: string,
  height: number,
  latestTimes: () => readonly number[],
): uPlot.Options {
  const style = getComputedStyle(element)
  const colour = (name: string) => resolve(element, name)
  const axis = {
    stroke: colour('--quiet'),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  }
  return {
    width: Math.max(100, element.clientWidth),
    height,
    legend: { show: false },
    cursor: { sync: { key: group }, y: false, points: { size: 5 } },
    scales: {
      x: { range: () => [...timeSpan(latestTimes())] },
      y: { range: (_chart, _least, most) => [0, most > 0 ? most * 1.15 : 1] },
    },
    axes: [
      { ...axis, size: 22, space: 70, values: (_chart, marks) => marks.map(hourAndMinute) },
      { ...axis, size: 52, space: 26, values: (_chart, marks) => marks.map(format) },
    ],
    series: [
      {},
      ...lines.map(({ name, colour: stroke, isDashed = false }) => ({
        label: name,
        stroke: colour(stroke),
        width: 1.5,
        points: { show: false, filter: lonely, size: 4, fill: colour(stroke) },
        ...(isDashed ? { dash: [4, 3] } : {}),
      })),
    ],
  }
}

/** Values without a neighbour: no line leads to them, so they are drawn as points. */
function lonely(chart: uPlot, series: number): number[] | null {
  const values = chart.data[series] ?? []
  const isKnown = (index: number) => typeof values[index] === 'number'
  const found = [...values.keys()].filter(
    (index) => isKnown(index) && !isKnown(index - 1) && !isKnown(index + 1),
  )
  return found.length === 0 ? null : found
}

/** A colour of the page as a canvas understands it: one, not a pair for light and dark. */
function resolve(element: HTMLElement, name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  element.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

function hourAndMinute(seconds: number): string {
  return new Date(seconds * 1_000).toLocaleTimeString(undefined, {
    hour: '2-digit',
    minute: '2-digit',
  })
}
