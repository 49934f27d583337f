// What each process counts for itself and the command tells as one: what the analysis did, and how many clients
// the feed has.
import type { AnalysisStatistics } from '../analysis/analysis.ts'

/** The figures of one process, or the sum of several. */
export type Figures = {
  readonly processor: AnalysisStatistics
  readonly feedClients: number
}

/** Makes of a figure of this process, by its name, that of the whole command. */
export type Total = <Name extends keyof Figures>(
  name: Name,
  own: () => Figures[Name],
) => () => Promise<Figures[Name]>

/** The total of a command that is one process. */
export const alone: Total = (_name, own) => async () => own()

/** The figures of no process. */
export const noFigures: Figures = sumFigures([])

/** Adds up: something runs as long as it runs anywhere. */
export function sumFigures(all: readonly Figures[]): Figures {
  const sum = (figure: (of: Figures) => number) =>
    all.reduce((total, figures) => total + figure(figures), 0)
  const successful = sum(({ processor }) => processor.ai_service_stats.successful)
  const failed = sum(({ processor }) => processor.ai_service_stats.failed)
  return {
    processor: {
      is_running: all.some(({ processor }) => processor.is_running),
      processed_count: sum(({ processor }) => processor.processed_count),
      ai_service_stats: {
        total_requests: sum(({ processor }) => processor.ai_service_stats.total_requests),
        successful,
        failed,
        success_rate: successful + failed === 0 ? 0 : successful / (successful + failed),
      },
    },
    feedClients: sum(({ feedClients }) => feedClients),
  }
}

/** What remains of the figures of a process that has ended: what it did, not what it was doing. */
export function afterTheEnd({ processor }: Figures): Figures {
  return { processor: { ...processor, is_running: false }, feedClients: 0 }
}
