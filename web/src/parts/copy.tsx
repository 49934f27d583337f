// Text to be copied: a call id, whole though it is shown shortened; a command.
import { useState } from 'preact/hooks'
import { shortId } from '../format.ts'

const saidForMs = 1_500

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    // Without HTTPS a browser gives no clipboard to pages of other hosts; this old way it does.
    const area = document.createElement('textarea')
    area.value = text
    area.className = 'unseen'
    document.body.append(area)
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    return done
  }
}

function useCopy(text: string): readonly [said: string, copyNow: () => void] {
  const [said, say] = useState('')
  const copyNow = async () => {
    say((await copy(text)) ? 'copied' : 'select it and copy')
    window.setTimeout(() => say(''), saidForMs)
  }
  return [said, () => void copyNow()]
}

/** An id that is copied whole by a click. */
export function CopyId({ id, longest = 40 }: { readonly id: string; readonly longest?: number }) {
  const [said, copyNow] = useCopy(id)
  return (
    <button type="button" class="plain id" title={`${id} — click to copy`} onClick={copyNow}>
      {shortId(id, longest)}
      <span class="said" role="status">
        {said}
      </span>
    </button>
  )
}

/** A command with a button to copy it. */
export function Command({ text, name }: { readonly text: string; readonly name: string }) {
  const [said, copyNow] = useCopy(text)
  return (
    <div class="command">
      <pre>{text}</pre>
      <button type="button" onClick={copyNow} aria-label={`Copy: ${name}`}>
        {said || 'copy'}
      </button>
    </div>
  )
}
