// The page of live calls. The feed says that something changed, the history says what it is now: a message
// lost on the way is made up for by the next one, and by a look every so often while calls are live.
import { countLost, showRows, states } from './rows.js'

const shownCalls = 100
const shortestPauseMs = 300
const pauseAfterFailureMs = 1_000
const patienceMs = 5_000
const liveRefreshMs = 2_000
const longestReconnectMs = 5_000

const find = (selector) => document.querySelector(selector)
const statuses = Object.keys(states)

find('#simulate').textContent = `npm run simulate -- --url ${location.origin}`
find('#send').textContent =
  `curl -X POST ${location.origin}/v1/call/stream/CALL-1 -H 'content-type: application/json' \\\n` +
  `     -d '{"sequence":1,"data":"audio_chunk_1","timestamp":1732147200.02}'`

let isOpen = false
let answers = true
let lostSince
let reconnectMs = 500
let calls = []

function connect() {
  const url = new URL('/ws', location.href)
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'
  // Without `?after=`: at each new connection the whole list is read anew.
  const socket = new WebSocket(url)
  socket.addEventListener('open', () => {
    isOpen = true
    reconnectMs = 500
    void refreshSoon()
  })
  socket.addEventListener('message', refreshSoon)
  socket.addEventListener('close', () => {
    isOpen = false
    showConnection()
    setTimeout(connect, reconnectMs)
    reconnectMs = Math.min(reconnectMs * 2, longestReconnectMs)
  })
}

function showConnection() {
  const connected = isOpen && answers
  lostSince = connected ? undefined : (lostSince ?? new Date())
  const connection = find('#connection')
  connection.dataset.state = connected ? 'live' : 'lost'
  const text = connected ? 'live' : `not connected since ${lostSince.toLocaleTimeString()}`
  if (connection.textContent !== text) connection.textContent = text
}

let refreshing = false
let refreshAgain = false

async function refreshSoon() {
  refreshAgain = true
  if (refreshing) return
  refreshing = true
  while (refreshAgain) {
    refreshAgain = false
    try {
      await refresh()
      answers = true
    } catch {
      answers = false
      refreshAgain = true
    }
    showConnection()
    await new Promise((resolve) =>
      setTimeout(resolve, answers ? shortestPauseMs : pauseAfterFailureMs),
    )
  }
  refreshing = false
}

async function read(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(patienceMs) })
  if (!response.ok) throw new Error(`status ${response.status}`)
  return await response.json()
}

async function refresh() {
  const { calls: newest, total } = await read(`/v1/call/history?limit=${shownCalls}`)
  const counts =
    total === newest.length
      ? statuses.map((status) => newest.filter((call) => call.status === status).length)
      : await Promise.all(statuses.map(countOf))
  calls = newest
  find('#empty').hidden = total > 0
  find('table').hidden = total === 0
  find('.totals').hidden = total === 0
  find('#more').hidden = total === newest.length
  find('#more').textContent =
    `The newest ${newest.length} of ${total.toLocaleString()} calls; all of them: /v1/call/history`
  showTotals(counts)
  await showRows(find('table'), calls, readOpenCall)
}

async function countOf(status) {
  const { total } = await read(`/v1/call/history?limit=1&status=${status}`)
  return total
}

/** The call that the address names, as `#CALL-1`, with all that is known of it. */
async function readOpenCall() {
  const id = decodeURIComponent(location.hash.slice(1))
  if (!calls.some((call) => call.call_id === id)) return undefined
  return await read(`/v1/call/${encodeURIComponent(id)}`)
}

function showTotals(counts) {
  const totals = find('.totals')
  if (totals.children.length === 0)
    for (const status of statuses) {
      const item = document.createElement('div')
      item.dataset.status = status
      item.append(document.createElement('dt'), document.createElement('dd'))
      const mark = document.createElement('span')
      mark.className = 'mark'
      mark.textContent = states[status].mark
      item.querySelector('dt').append(mark, states[status].word)
      totals.append(item)
    }
  for (const [index, item] of [...totals.children].entries()) {
    item.querySelector('dd').textContent = counts[index].toLocaleString()
    item.classList.toggle('none', counts[index] === 0)
  }
  const lost = calls.reduce((sum, call) => sum + countLost(call), 0)
  const packets = calls.reduce((sum, call) => sum + call.total_packets, 0)
  totals.title = `${packets.toLocaleString()} packets stored, ${lost.toLocaleString()} lost`
}

window.addEventListener('hashchange', refreshSoon)

function showTime() {
  find('#clock').textContent = new Date().toLocaleTimeString()
}

showTime()
setInterval(showTime, 1_000)

// Only the packets of live calls change without an event.
setInterval(() => {
  if (!document.hidden && calls.some((call) => call.status === 'IN_PROGRESS')) void refreshSoon()
}, liveRefreshMs)

connect()
