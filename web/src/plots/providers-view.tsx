// The AI services: how each is in words, what became of the last hour's requests, what waits for it.
import { useMemo } from 'preact/hooks'
import { milliseconds, percent, whole } from '../format.ts'
import { useAnswer } from '../hooks.ts'
import { Countdown, Since, Time, Words } from '../parts/time.tsx'
import { Total } from '../parts/total.tsx'
import type { Backlog } from '../state/types.ts'
import { Plot } from './plot.tsx'
import { timeSpan } from './time-span.ts'

type Step = {
  readonly at: string
  readonly succeeded: number
  readonly failed: number
  readonly latency_p50_ms: number | null
  readonly latency_p95_ms: number | null
}

type Provider = {
  readonly name: string
  readonly state: 'closed' | 'open' | 'half_open' | 'paused'
  readonly health: string
  readonly since: string
  readonly next_probe_at: string | null
  readonly in_flight: number
  readonly allowed: number
  readonly limit: number
  readonly last_error: string | null
  readonly last_hour: {
    readonly succeeded: number
    readonly failed: number
    readonly latency_p50_ms: number | null
    readonly latency_p95_ms: number | null
  }
  readonly history?: readonly Step[]
}

type Providers = { readonly providers: readonly Provider[]; readonly backlog: Backlog }

const everyMs = 3_000
const stateWords = { closed: 'well', open: 'out of order', half_open: 'on trial', paused: 'paused' }

/** The view of the AI services. */
export function ProvidersView() {
  const { value, error } = useAnswer<Providers>('/v1/providers', 0, everyMs)
  if (value === undefined)
    return <p class="loading">{error?.message ?? 'Reading the state of the AI services…'}</p>
  const { waiting, running, failing, oldest_at: oldest } = value.backlog
  return (
    <>
      <h2 class="unseen">AI services</h2>
      <ul class="totals">
        <Total state="analysing" count={running} word="being analysed" />
        <Total state="waiting" count={waiting} word="waiting">
          {oldest !== null && waiting > 0 && (
            <small>
              oldest <Since since={oldest} />
            </small>
          )}
        </Total>
        <Total
          state={failing > 0 ? 'failing' : 'done'}
          count={failing}
          word="failing, tried anew"
        />
      </ul>
      {error !== undefined && <p class="trouble">{error.message}</p>}
      {value.providers.map((provider) => (
        <ProviderRow key={provider.name} provider={provider} waiting={waiting} />
      ))}
    </>
  )
}

function ProviderRow({
  provider,
  waiting,
}: {
  readonly provider: Provider
  readonly waiting: number
}) {
  const { name, state, health, next_probe_at: next, last_hour: hour, last_error: error } = provider
  const answers = hour.succeeded + hour.failed
  return (
    <section class="provider" aria-label={name}>
      <div class="provider-words">
        <h3 class={`health-${state}`}>
          <span class="health-shape" aria-hidden="true" />
          {name} <small>{stateWords[state]}</small>
        </h3>
        {state !== 'closed' || provider.allowed < provider.limit ? (
          <p>
            <Words text={health} />
          </p>
        ) : null}
        <dl class="pairs">
          <div>
            <dt>In flight</dt>
            <dd>{inFlight(provider)}</dd>
          </div>
          <div>
            <dt>Last hour</dt>
            <dd>
              {answers === 0
                ? 'not asked'
                : `${whole(answers)} requests, ${percent(hour.failed / answers)} failed`}
            </dd>
          </div>
          <div>
            <dt>Latency</dt>
            <dd>{`${milliseconds(hour.latency_p50_ms)} median, ${milliseconds(hour.latency_p95_ms)} p95`}</dd>
          </div>
          {state !== 'closed' && (
            <div>
              <dt>Waiting</dt>
              <dd>{whole(waiting)} calls</dd>
            </div>
          )}
          {next !== null && (
            <div>
              <dt>Next probe</dt>
              <dd>
                <Countdown at={next} />
              </dd>
            </div>
          )}
          {error !== null && (
            <div>
              <dt>Last error</dt>
              <dd>{error}</dd>
            </div>
          )}
        </dl>
      </div>
      <History provider={name} steps={provider.history ?? []} />
    </section>
  )
}

function inFlight({ in_flight: now, allowed, limit }: Provider): string {
  return allowed === limit
    ? `${whole(now)} of ${whole(limit)} at once`
    : `${whole(now)} of ${whole(allowed)} for now, ${whole(limit)} when it is well`
}

function History({
  provider,
  steps,
}: {
  readonly provider: string
  readonly steps: readonly Step[]
}) {
  const { times, lines } = useMemo(
    () => ({
      times: steps.map(({ at }) => Date.parse(at) / 1_000),
      lines: [
        { name: 'median', colour: '--live', values: steps.map((step) => step.latency_p50_ms) },
        {
          name: 'p95',
          colour: '--waiting',
          isDashed: true,
          values: steps.map((step) => step.latency_p95_ms),
        },
      ],
    }),
    [steps],
  )
  const failed = steps.reduce((sum, step) => sum + step.failed, 0)
  return (
    <div class="provider-history">
      <h4>Outcomes of the last hour</h4>
      <Strip steps={steps} failed={failed} />
      <Plot
        title="Latency"
        group={`provider-${provider}`}
        times={times}
        lines={lines}
        format={milliseconds}
      />
    </div>
  )
}

/** A tick for each part of the last hour: above the line the requests that were answered, below those that failed. */
function Strip({ steps, failed }: { readonly steps: readonly Step[]; readonly failed: number }) {
  if (steps.length === 0) return <p class="quiet">Not asked in the last hour.</p>
  const [first, end] = timeSpan(steps.map(({ at }) => Date.parse(at) / 1_000))
  const place = ({ at }: Step) => (990 * (Date.parse(at) / 1_000 - first)) / (end - first)
  const most = Math.max(1, ...steps.map(({ succeeded, failed: bad }) => Math.max(succeeded, bad)))
  const size = (count: number) => (count === 0 ? 0 : 3 + 15 * Math.sqrt(count / most))
  const gaps = steps.slice(1).map((step, index) => place(step) - place(steps[index] ?? step))
  const width = Math.min(10, Math.max(2, 0.7 * Math.min(10, ...gaps)))
  const answered = steps.reduce((sum, step) => sum + step.succeeded, 0)
  return (
    <>
      <svg
        class="strip"
        viewBox="0 0 1000 40"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${whole(failed)} of ${whole(answered + failed)} requests failed`}
      >
        <path class="ground" d="M0 20H1000" />
        {steps.map((step) => (
          <g key={step.at}>
            <rect
              class="succeeded"
              x={place(step)}
              y={19 - size(step.succeeded)}
              width={width}
              height={size(step.succeeded)}
            />
            <rect class="failed" x={place(step)} y="21" width={width} height={size(step.failed)} />
          </g>
        ))}
      </svg>
      <p class="strip-key quiet">
        <Time at={new Date(first * 1_000).toISOString()} />
        <span>
          <span class="up">▴</span> answered <span class="down">▾</span> failed
        </span>
        <Time at={new Date(end * 1_000).toISOString()} />
      </p>
    </>
  )
}
