// The page of live calls. The feed says that something changed, the history says what it is now: a message
// lost on the way is made up for by the next one, and by a look every so often while calls are live.

const states = {
  IN_PROGRESS: { mark: '◉', word: 'live' },
  COMPLETED: { mark: '◔', word: 'waiting for AI' },
  PROCESSING_AI: { mark: '◑', word: 'analysing' },
  FAILED: { mark: '▲', word: 'failing' },
  ARCHIVED: { mark: '✓', word: 'done' },
}
const shownCalls = 100
const shortestPauseMs = 300
const liveRefreshMs = 2_000
const longestReconnectMs = 5_000

const connection = document.querySelector('#connection')
const totals = document.querySelector('#totals')
const table = document.querySelector('table')
const rows = document.querySelector('tbody')
const empty = document.querySelector('#empty')
const template = document.querySelector('#call')
const rowsByCall = new Map()
const open = new Set()

let position
let lostSince
let reconnectMs = 500

document.querySelector('#simulate').textContent = `npm run simulate -- --url ${location.origin}`
document.querySelector('#send').textContent =
  `curl -X POST ${location.origin}/v1/call/stream/CALL-1 -H 'content-type: application/json' ` +
  `-d '{"sequence":1,"data":"audio_chunk_1","timestamp":1732147200.02}'`

function connect() {
  const url = new URL('/ws', location.href)
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'
  if (position !== undefined) url.searchParams.set('after', position)
  const socket = new WebSocket(url)
  socket.addEventListener('open', () => {
    lostSince = undefined
    reconnectMs = 500
    showConnection('live', 'live')
    refreshSoon()
  })
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(data)
    if (message.position !== undefined) position = message.position
    if (message.type !== 'connected') refreshSoon()
  })
  socket.addEventListener('close', () => {
    lostSince ??= new Date()
    showConnection('lost', `not connected since ${lostSince.toLocaleTimeString()}`)
    setTimeout(connect, reconnectMs)
    reconnectMs = Math.min(reconnectMs * 2, longestReconnectMs)
  })
}

function showConnection(state, text) {
  connection.dataset.state = state
  connection.textContent = text
}

let refreshing = false
let refreshAgain = false

function refreshSoon() {
  if (refreshing) {
    refreshAgain = true
    return
  }
  refreshing = true
  refresh()
    .catch(() => showConnection('lost', 'the gateway does not answer'))
    .finally(() =>
      setTimeout(() => {
        refreshing = false
        if (refreshAgain) refreshSoon()
      }, shortestPauseMs),
    )
  refreshAgain = false
}

async function refresh() {
  const response = await fetch(`/v1/call/history?limit=${shownCalls}`)
  if (!response.ok) throw new Error(`status ${response.status}`)
  const { calls, total } = await response.json()
  empty.hidden = calls.length > 0
  table.hidden = calls.length === 0
  const counts = Object.keys(states)
    .map((status) => [status, calls.filter((call) => call.status === status).length])
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${count} ${states[status].word}`)
  totals.textContent =
    total > calls.length
      ? `${total.toLocaleString()} calls; of the newest ${calls.length}: ${counts.join(', ')}`
      : counts.join(', ')
  for (const [index, call] of calls.entries()) showCall(call, index)
  while (rows.children.length > calls.length) rows.lastElementChild.remove()
}

function showCall(call, index) {
  let row = rowsByCall.get(call.call_id)
  if (row === undefined) {
    row = template.content.cloneNode(true).firstElementChild
    rowsByCall.set(call.call_id, row)
    row.querySelector('button').addEventListener('click', () => {
      if (!open.delete(call.call_id)) open.add(call.call_id)
      refreshSoon()
    })
  }
  if (rows.children[index] !== row) rows.insertBefore(row, rows.children[index] ?? null)
  const state = states[call.status]
  const began = new Date(call.created_at)
  const isOpen = open.has(call.call_id)
  row.dataset.status = call.status
  setText(row, '.mark', state.mark)
  setText(row, '.word', state.word)
  setText(row, 'button', call.call_id)
  row.querySelector('button').setAttribute('aria-expanded', String(isOpen))
  setText(row, 'time', began.toLocaleTimeString())
  row.querySelector('time').dateTime = call.created_at
  row.querySelector('time').title = `${began.toLocaleString(undefined, { timeZoneName: 'long' })}`
  setText(row, '.packets', call.total_packets.toLocaleString())
  setText(row, '.missing', call.missing_packets === '' ? '–' : shorten(call.missing_packets, 60))
  setText(row, '.mood', call.sentiment ?? '–')
  const known = row.querySelector('.known')
  known.classList.toggle('open', isOpen)
  setText(row, '.known', describe(call, isOpen))
}

function describe(call, isOpen) {
  if (call.transcription !== null)
    return isOpen ? call.transcription : shorten(call.transcription, 160)
  if (call.error_message !== null) return `last attempt failed: ${call.error_message}`
  if (call.status === 'IN_PROGRESS') return 'receiving audio'
  return 'its analysis has not ended yet'
}

function shorten(text, length) {
  return text.length > length ? `${text.slice(0, length)}…` : text
}

function setText(row, selector, text) {
  const element = row.querySelector(selector)
  if (element.textContent !== text) element.textContent = text
}

setInterval(() => {
  if (document.hidden) return
  if (rows.querySelector('[data-status="IN_PROGRESS"]') !== null) refreshSoon()
}, liveRefreshMs)

connect()
