// What a supervisor may do with a call. Each is asked about first, and says what became of it.
import { useState } from 'preact/hooks'
import { useStore } from '../hooks.ts'
import { ApiError, callPath, send } from '../net/api.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Part } from './aside.tsx'
import type { CallDetail } from './types.ts'

type Action = {
  readonly name: string
  /** What is happening while it is being done. */
  readonly doing: string
  readonly done: string
  readonly question: string
  readonly isGrave?: boolean
  readonly run: (callId: string) => Promise<unknown>
}

const complete: Action = {
  name: 'Complete',
  doing: 'Completing the call…',
  done: 'The call is over; its analysis is next.',
  question:
    'The call is taken to be over and is analysed. Packets that come later than a moment from now are refused.',
  run: (callId) => send('POST', `/v1/call/complete/${encodeURIComponent(callId)}`),
}

const reprocess: Action = {
  name: 'Try again now',
  doing: 'Asking for another attempt…',
  done: 'An attempt is due now.',
  question:
    'The analysis is tried again at once, without waiting for its turn. What is done already is kept.',
  run: (callId) => send('POST', callPath(callId, '/reprocess')),
}

const swap: Action = {
  name: 'Swap speakers',
  doing: 'Exchanging the speakers…',
  done: 'Customer and agent are exchanged.',
  question:
    'Customer and agent change places, in the transcript, the recording and the account. A mood and a summary that were made the other way round are not shown meanwhile.',
  run: (callId) => send('POST', callPath(callId, '/swap'), {}),
}

const erase: Action = {
  name: 'Delete',
  doing: 'Deleting the call…',
  done: 'The call is deleted.',
  question:
    'Everything of this call is erased for good: its audio, its transcript, its history. Nobody can bring it back.',
  isGrave: true,
  run: (callId) => send('DELETE', callPath(callId, '?force=true')),
}

function actionsFor({ status }: CallDetail): readonly Action[] {
  if (status === 'IN_PROGRESS') return [complete, swap, erase]
  if (status === 'FAILED' || status === 'PROCESSING_AI') return [reprocess, swap, erase]
  return [swap, erase]
}

/** The buttons, and what became of the last one. */
export function Actions(props: { readonly call: CallDetail; readonly onDone: () => void }) {
  const { call, onDone } = props
  const store = useStore()
  const [asked, ask] = useState<Action | undefined>(undefined)
  const [said, say] = useState<{ text: string; isTrouble?: boolean; isBusy?: boolean }>({
    text: '',
  })

  async function run(action: Action): Promise<void> {
    say({ text: action.doing, isBusy: true })
    try {
      await action.run(call.call_id)
      say({ text: action.done })
      if (action !== erase) return onDone()
      store.dispatch({ kind: 'erased', callId: call.call_id })
      location.hash = '#/'
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      say({ text: error.message, isTrouble: true })
    }
  }

  return (
    <Part title="Do">
      <div class="buttons">
        {actionsFor(call).map((action) => (
          <button
            key={action.name}
            type="button"
            class={action.isGrave ? 'grave' : undefined}
            disabled={said.isBusy}
            onClick={() => ask(action)}
          >
            {action.name}
          </button>
        ))}
      </div>
      <p role="status" class={said.isTrouble ? 'trouble' : 'quiet'}>
        {said.text}
      </p>
      {asked !== undefined && (
        <Dialog
          title={`${asked.name}: ${call.call_id}`}
          confirm={asked.name}
          isGrave={asked.isGrave ?? false}
          onConfirm={() => void run(asked)}
          onClose={() => ask(undefined)}
        >
          <p>{asked.question}</p>
        </Dialog>
      )}
    </Part>
  )
}
