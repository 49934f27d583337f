// A question that is answered before anything happens. The browser keeps the focus in it, and closes it on Escape.
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

/** What is asked. */
export type DialogProps = {
  readonly title: string
  readonly children: ComponentChildren
  /** What the button says that does it; without one the dialog only tells something. */
  readonly confirm?: string
  readonly isGrave?: boolean
  readonly onConfirm?: () => void
  readonly onClose: () => void
}

/** An open dialog. */
export function Dialog(props: DialogProps) {
  const { title, children, confirm, isGrave = false, onConfirm, onClose } = props
  const element = useRef<HTMLDialogElement>(null)
  useEffect(() => element.current?.showModal(), [])
  return (
    <dialog ref={element} onClose={onClose} aria-labelledby="dialog-title">
      <form method="dialog">
        <h2 id="dialog-title">{title}</h2>
        {children}
        <p class="buttons">
          <button type="submit">{confirm === undefined ? 'Close' : 'Cancel'}</button>
          {confirm !== undefined && (
            <button type="submit" class={isGrave ? 'grave' : 'primary'} onClick={onConfirm}>
              {confirm}
            </button>
          )}
        </p>
      </form>
    </dialog>
  )
}
