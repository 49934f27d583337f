// What a section of the benchmark found: a table and plots. Plain data, kept in results/latest.json, from which
// latest.md and the SVG files are written.

/** A line of a section's table. */
export type Row = {
  readonly what: string
  readonly figure: string
  /** The same of the baseline, in the same run. */
  readonly baseline?: string
  readonly ratio?: number
  /** What the figure or the ratio ought to be, in words, and whether it is. */
  readonly bar?: string
  readonly met?: boolean
}

/** An axis of a plot; `unit` stands behind its label. */
export type Axis = {
  readonly label: string
  readonly unit: string
  readonly scale?: 'linear' | 'log'
}

type Limit = { readonly value: number; readonly label: string }

/** Lines over a number. */
export type LinePlot = {
  readonly kind: 'line'
  /** The name of the file, without its extension. */
  readonly name: string
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly {
    readonly name: string
    readonly points: readonly (readonly [x: number, y: number])[]
  }[]
  /** A horizontal line. */
  readonly limit?: Limit
  /** A stretch of the x axis that is marked, such as the time of a fault. */
  readonly span?: { readonly from: number; readonly to: number; readonly label: string }
}

/** Groups of bars, each with a bar of every series. */
export type BarPlot = {
  readonly kind: 'bar'
  readonly name: string
  readonly title: string
  readonly y: Axis
  readonly groups: readonly string[]
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[]
  readonly limit?: Limit
}

export type Plot = LinePlot | BarPlot

/** A section of the report. */
export type Section = {
  readonly title: string
  /** What it shows and how it was measured, in Markdown. */
  readonly about: string
  readonly rows: readonly Row[]
  readonly plots: readonly Plot[]
}
