// The keys, and what the shapes mean.
import { callStates, meanings } from '../state/call-state.ts'
import { Dialog } from './dialog.tsx'
import { Mark } from './mark.tsx'

const keys = [
  ['/', 'search the calls'],
  ['j  k', 'next and previous call'],
  ['enter', 'open the call'],
  ['esc', 'leave the search, then the call'],
  ['space', 'play or pause a call'],
  ['←  →', 'five seconds back or on'],
  ['1  2  3', 'floor, providers, system'],
  ['?', 'this help'],
] as const

/** The help, as a dialog. */
export function Help({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keys and shapes" onClose={onClose}>
      <dl class="pairs">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              {key.split('  ').map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <dl class="pairs">
        {callStates.map((state) => (
          <div key={state}>
            <dt class={`state-${state}`}>
              <Mark state={state} /> {state}
            </dt>
            <dd>{meanings[state]}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
