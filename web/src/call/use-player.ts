// Plays the recording of a call. The position changes with every frame and is told to listeners, past the drawing of
// components.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'

/** A player of one recording. */
export type Player = {
  readonly isPlaying: boolean
  readonly error: string
  /** Where it is, in seconds of the call. */
  readonly seconds: () => number
  readonly toggle: () => void
  /** Goes to a second of the call, and keeps playing or waiting. */
  readonly seek: (seconds: number) => void
  /** Goes there and plays. */
  readonly playFrom: (seconds: number) => void
  /** Calls back with each change of the position. */
  readonly follow: (listener: (seconds: number) => void) => () => void
}

/** Builds the player; it loads nothing before it is asked to play. @param durationMs of the call, as known now */
export function usePlayer(url: string, durationMs: number): Player {
  const [isPlaying, setPlaying] = useState(false)
  const [error, setError] = useState('')
  const duration = useRef(durationMs)
  duration.current = durationMs
  const engine = useMemo(() => createEngine(url, duration, setPlaying, setError), [url])
  useEffect(() => engine.close, [engine])
  return useMemo(() => ({ ...engine, isPlaying, error }), [engine, isPlaying, error])
}

function createEngine(
  url: string,
  duration: { readonly current: number },
  setPlaying: (is: boolean) => void,
  setError: (text: string) => void,
) {
  const audio = new Audio()
  audio.preload = 'none'
  const listeners = new Set<(seconds: number) => void>()
  let position = 0
  let isLoaded = false
  /** A recording of a live call grows: it is loaded anew when it is played to its end. */
  let loadedMs = 0
  let frame = 0

  function tell(seconds: number): void {
    position = seconds
    for (const listener of listeners) listener(seconds)
  }

  function everyFrame(): void {
    // Before the recording is there, it is at 0 whatever was asked for.
    if (audio.readyState > 0 && !audio.seeking) tell(audio.currentTime)
    frame = audio.paused ? 0 : requestAnimationFrame(everyFrame)
  }

  audio.addEventListener('play', () => {
    setPlaying(true)
    if (frame === 0) frame = requestAnimationFrame(everyFrame)
  })
  audio.addEventListener('pause', () => setPlaying(false))
  audio.addEventListener('ended', () => tell(audio.currentTime))
  audio.addEventListener('loadedmetadata', () => {
    if (position > 0) audio.currentTime = position
  })
  audio.addEventListener('error', () => {
    if (!isLoaded) return
    isLoaded = false
    setPlaying(false)
    setError('The recording cannot be played: the gateway did not send it, or it has no audio.')
  })

  function play(): void {
    setError('')
    if (!isLoaded || duration.current > loadedMs + 1_000) {
      isLoaded = true
      loadedMs = duration.current
      audio.src = url
    }
    if (position >= duration.current / 1_000 - 0.05) seek(0)
    audio.play().catch(() => setPlaying(false))
  }

  function seek(seconds: number): void {
    const target = Math.max(0, Math.min(duration.current / 1_000, seconds))
    if (audio.readyState > 0) audio.currentTime = target
    tell(target)
  }

  return {
    seconds: () => position,
    toggle: () => (audio.paused ? play() : audio.pause()),
    seek,
    playFrom: (seconds: number) => {
      seek(seconds)
      if (audio.paused) play()
    },
    follow: (listener: (seconds: number) => void) => {
      listeners.add(listener)
      listener(position)
      return () => listeners.delete(listener)
    },
    close: () => {
      cancelAnimationFrame(frame)
      audio.pause()
      audio.removeAttribute('src')
      listeners.clear()
    },
  }
}
