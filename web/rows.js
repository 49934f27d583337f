// The rows of the table of calls, changed in place: what did not change is not touched. Everything that a caller
// or an AI may have said is put in as text, never as markup.

/** How each state is shown: always a shape and a word, never a colour alone. */
export const states = {
  IN_PROGRESS: { mark: '◉', word: 'live' },
  COMPLETED: { mark: '◔', word: 'waiting for AI' },
  PROCESSING_AI: { mark: '◑', word: 'analysing' },
  FAILED: { mark: '▲', word: 'failing' },
  ARCHIVED: { mark: '✓', word: 'done' },
}

const longestId = 22
const bodies = new Map()

/**
 * Shows the calls in their order, and one of them open.
 * @param readOpenCall reads the call that is to be open, if there is one
 */
export async function showRows(table, calls, readOpenCall) {
  const isFirst = bodies.size === 0
  for (const [index, call] of calls.entries()) {
    const body = bodies.get(call.call_id) ?? createBody(call, isFirst)
    const place = table.tBodies[index] ?? null
    if (place !== body) table.insertBefore(body, place)
    showCall(body, call)
  }
  const shown = new Set(calls.map((call) => call.call_id))
  for (const [id, body] of bodies)
    if (!shown.has(id)) {
      body.remove()
      bodies.delete(id)
    }
  const open = await readOpenCall()
  for (const [id, body] of bodies) {
    const isOpen = id === open?.call_id
    body.querySelector('.detail').hidden = !isOpen
    body.querySelector('button').setAttribute('aria-expanded', String(isOpen))
    if (isOpen) showDetail(body, open)
  }
}

/** How many packets of a call are missing, as `missing_packets` lists them. */
export function countLost({ missing_packets: missing }) {
  if (missing === '') return 0
  return missing.split(',').reduce((sum, part) => {
    const [first, last = first] = part.split('-').map(Number)
    return sum + last - first + 1
  }, 0)
}

function createBody({ call_id: id }, isFirst) {
  const body = document.querySelector('#call').content.cloneNode(true).firstElementChild
  if (!isFirst) body.classList.add('new')
  bodies.set(id, body)
  const button = body.querySelector('button')
  button.textContent = shortenMiddle(id)
  button.title = id
  button.addEventListener('click', () => {
    const isOpen = button.getAttribute('aria-expanded') === 'true'
    location.hash = isOpen ? '' : encodeURIComponent(id)
  })
  return body
}

function showCall(body, call) {
  const began = new Date(call.created_at)
  const lost = countLost(call)
  const share = (100 * lost) / (lost + call.total_packets)
  body.dataset.status = call.status
  setText(body, '.mark', states[call.status].mark)
  setText(body, '.word', states[call.status].word)
  setText(body, '.began time', nearTime(began))
  body.querySelector('.began time').dateTime = call.created_at
  body.querySelector('.began time').title = began.toLocaleString(undefined, {
    dateStyle: 'full',
    timeStyle: 'long',
  })
  setText(body, '.lasted', lasted(call))
  setText(body, '.packets', call.total_packets.toLocaleString())
  setText(body, '.lost', lost === 0 ? '0' : `${lost.toLocaleString()} · ${percent(share)}`)
  body.querySelector('.lost').classList.toggle('none', lost === 0)
  setText(body, '.mood', call.sentiment ?? '–')
  setText(body, '.known', describe(call))
}

function describe(call) {
  if (call.transcription !== null) return call.transcription.slice(0, 400).replaceAll('\n', '  ')
  if (call.status === 'IN_PROGRESS') return 'receiving audio'
  if (call.status === 'COMPLETED') return 'late packets still count; the analysis is next'
  const failure = call.error_message === null ? '' : `last: ${call.error_message}`
  if (call.status === 'FAILED') return `tried again later, by itself; ${failure}`
  return failure === '' ? 'the AI service has it' : `trying again; ${failure}`
}

function showDetail(body, call) {
  const lines = (call.transcription ?? '').split('\n').filter((line) => line !== '')
  setPairs(
    body.querySelector('.transcript'),
    lines.length === 0
      ? [['', describe(call)]]
      : lines.map((line) => /^(Customer|Agent): (.*)$/s.exec(line)?.slice(1) ?? ['', line]),
  )
  const time = (text) => (text === null ? undefined : new Date(text).toLocaleString())
  setPairs(
    body.querySelector('.facts'),
    [
      ['Call', call.call_id],
      ['State', call.status],
      ['Summary', call.summary],
      ['Began', time(call.created_at)],
      ['Completed', time(call.completed_at)],
      ['Analysed', time(call.ai_processed_at)],
      ['Attempts', String(call.ai_processing_attempts)],
      ['Last failure', call.error_message],
      ['Missing', call.missing_packets.replaceAll(',', ', ') || 'no packet'],
    ].filter(([, value]) => value != null),
  )
}

/** Shows terms and what is said of them; touches nothing that is shown already. */
function setPairs(list, pairs) {
  const text = JSON.stringify(pairs)
  if (list.dataset.shown === text) return
  list.dataset.shown = text
  list.replaceChildren(
    ...pairs.flatMap(([term, said]) => [element('dt', term), element('dd', said)]),
  )
}

function element(name, text) {
  const created = document.createElement(name)
  created.textContent = text
  return created
}

function setText(body, selector, text) {
  const found = body.querySelector(selector)
  if (found.textContent !== text) found.textContent = text
}

function lasted({ created_at: began, completed_at: completed, status, updated_at: updated }) {
  const end = completed ?? (status === 'IN_PROGRESS' ? updated : began)
  const seconds = Math.max(0, Math.round((Date.parse(end) - Date.parse(began)) / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

function nearTime(date) {
  return date.toDateString() === new Date().toDateString()
    ? date.toLocaleTimeString()
    : date.toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'short' })
}

function percent(share) {
  return `${share < 0.05 ? '<0.1' : share.toFixed(1)} %`
}

function shortenMiddle(id) {
  const half = Math.floor(longestId / 2)
  return id.length <= longestId ? id : `${id.slice(0, half)}…${id.slice(1 - half)}`
}
