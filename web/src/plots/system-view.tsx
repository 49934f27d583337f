// The gateways and their database: the last hour in small plots with one cursor, and who is there now.
import { useMemo } from 'preact/hooks'
import { bytes, milliseconds, roughly, shortId, whole } from '../format.ts'
import { useAnswer, useDesk } from '../hooks.ts'
import { Since } from '../parts/time.tsx'
import { type Line, Plot } from './plot.tsx'

type Gateway = {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly started_at: string
  readonly seen_at: string
  readonly live_calls: number
  readonly sockets: number
  readonly packets_per_second: number
  readonly commit_ms_p50: number | null
  readonly commit_ms_p99: number | null
  readonly rss_bytes: number
  readonly event_loop_ms_p99: number | null
}

type Moment = {
  readonly at: string
  readonly packets_per_second: number
  readonly commit_ms_p50: number | null
  readonly commit_ms_p99: number | null
  readonly live_calls: number
  readonly analyses_running: number
  readonly waiting: number
  readonly lost_packets: number
  readonly rss_bytes: number
}

type System = {
  readonly now: string
  readonly version: string
  readonly gateways: readonly Gateway[]
  readonly database: {
    readonly version: string
    readonly size_bytes: number
    readonly connections: number
    readonly max_connections: number
    readonly commit_ms: number | null
  }
  readonly history: readonly Moment[]
}

const everyMs = 5_000
/** A gateway that was not seen for so long is gone. */
const goneAfterMs = 15_000

type Value = Exclude<keyof Moment, 'at'>
type Multiple = readonly [
  title: string,
  format: (value: number) => string,
  lines: readonly (readonly [name: string, value: Value, colour: string])[],
]

/** Between whole numbers there is nothing to count. */
const counted = (value: number) => (Number.isInteger(value) ? whole(value) : '')

const multiples: readonly Multiple[] = [
  ['Packets', (value) => `${whole(value)}/s`, [['packets', 'packets_per_second', '--ink']]],
  [
    'Commit',
    milliseconds,
    [
      ['median', 'commit_ms_p50', '--live'],
      ['p99', 'commit_ms_p99', '--waiting'],
    ],
  ],
  ['Live calls', counted, [['live', 'live_calls', '--live']]],
  [
    'Analysis',
    counted,
    [
      ['running', 'analyses_running', '--working'],
      ['waiting', 'waiting', '--waiting'],
    ],
  ],
  ['Packets lost', counted, [['lost', 'lost_packets', '--ink']]],
  ['Memory of the gateways', bytes, [['memory', 'rss_bytes', '--ink']]],
]

/** The view of the gateways. */
export function SystemView() {
  const { value, error } = useAnswer<System>('/v1/system', 0, everyMs)
  if (value === undefined)
    return <p class="loading">{error?.message ?? 'Reading the state of the gateways…'}</p>
  return (
    <>
      <h2 class="unseen">System</h2>
      {error !== undefined && <p class="trouble">{error.message}</p>}
      <Multiples history={value.history} />
      <Gateways system={value} />
      <Database system={value} />
    </>
  )
}

function Multiples({ history }: { readonly history: readonly Moment[] }) {
  const plots = useMemo(() => {
    const times = history.map(({ at }) => Date.parse(at) / 1_000)
    return multiples.map(([title, format, lines]) => ({
      title,
      format,
      times,
      lines: lines.map(([name, value, colour], index): Line => {
        return {
          name,
          colour,
          isDashed: index > 0,
          values: history.map((moment) => moment[value]),
        }
      }),
    }))
  }, [history])
  return (
    <section class="multiples" aria-label="The last hour">
      {plots.map((plot) => (
        <Plot key={plot.title} group="system" {...plot} />
      ))}
    </section>
  )
}

function Gateways({ system: { gateways, now, version } }: { readonly system: System }) {
  const served = useDesk((state) => state.gateway)
  return (
    <section aria-label="Gateways">
      <h3>
        {gateways.length === 1 ? 'One gateway' : `${gateways.length} gateways`}{' '}
        <small class="quiet">version {version}</small>
      </h3>
      <table class="list">
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Gateway</th>
            <th scope="col">Up for</th>
            {figures.map(([name]) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {gateways.map((gateway) => (
            <GatewayRow
              key={gateway.id}
              gateway={gateway}
              silentMs={Date.parse(now) - Date.parse(gateway.seen_at)}
              isThis={gateway.id === served}
            />
          ))}
        </tbody>
      </table>
    </section>
  )
}

const figures: readonly (readonly [name: string, text: (gateway: Gateway) => string])[] = [
  ['Live calls', ({ live_calls }) => whole(live_calls)],
  ['Sockets', ({ sockets }) => whole(sockets)],
  ['Packets', ({ packets_per_second }) => `${whole(packets_per_second)}/s`],
  ['Commit p50', ({ commit_ms_p50 }) => milliseconds(commit_ms_p50)],
  ['Commit p99', ({ commit_ms_p99 }) => milliseconds(commit_ms_p99)],
  ['Event loop p99', ({ event_loop_ms_p99 }) => milliseconds(event_loop_ms_p99)],
  ['Memory', ({ rss_bytes }) => bytes(rss_bytes)],
]

type GatewayRowProps = {
  readonly gateway: Gateway
  readonly silentMs: number
  readonly isThis: boolean
}

function GatewayRow({ gateway, silentMs, isThis }: GatewayRowProps) {
  const isGone = silentMs > goneAfterMs
  return (
    <tr class={isGone ? 'gone' : undefined}>
      <td class={isGone ? 'state-failing' : 'state-done'}>
        {isGone ? `▲ silent for ${roughly(silentMs)}` : '✓ alive'}
      </td>
      <th scope="row" title={gateway.id}>
        {shortId(gateway.host, 20)} <span class="quiet">pid {gateway.pid}</span>
        {isThis && <span class="quiet"> · this page</span>}
      </th>
      <td data-name="Up for">
        <Since since={gateway.started_at} />
      </td>
      {figures.map(([name, text]) => (
        <td key={name} class="number" data-name={name}>
          {text(gateway)}
        </td>
      ))}
    </tr>
  )
}

function Database({ system: { database } }: { readonly system: System }) {
  return (
    <section aria-label="Database">
      <h3>Database</h3>
      <dl class="pairs">
        <div>
          <dt>PostgreSQL</dt>
          <dd>{database.version}</dd>
        </div>
        <div>
          <dt>Size</dt>
          <dd>{bytes(database.size_bytes)}</dd>
        </div>
        <div>
          <dt>Connections</dt>
          <dd>{`${whole(database.connections)} of ${whole(database.max_connections)}`}</dd>
        </div>
        <div>
          <dt>Commit now</dt>
          <dd>{milliseconds(database.commit_ms)}</dd>
        </div>
      </dl>
    </section>
  )
}
