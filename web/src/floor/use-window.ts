// Which rows of a long list are in sight, and a few around them.
import type { RefObject } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** The rows to draw: from `first` up to, but not with, `last`; heights in pixels. */
export type ListWindow = {
  readonly first: number
  readonly last: number
  readonly rowHeight: number
}

const around = 6

/** Follows the scrolling of an element that shows `count` rows of the height its style says. */
export function useWindow(scroller: RefObject<HTMLElement | null>, count: number): ListWindow {
  const [sight, setSight] = useState({ top: 0, height: 0, rowHeight: 32 })
  useEffect(() => {
    const element = scroller.current
    if (element === null) return undefined
    let isAsked = false
    const measure = () => {
      isAsked = false
      const rowHeight = Number.parseFloat(getComputedStyle(element).getPropertyValue('--row')) || 32
      const top = Math.floor(element.scrollTop / rowHeight)
      const height = Math.ceil(element.clientHeight / rowHeight)
      setSight((before) =>
        before.top === top && before.height === height && before.rowHeight === rowHeight
          ? before
          : { top, height, rowHeight },
      )
    }
    const ask = () => {
      if (!isAsked) requestAnimationFrame(measure)
      isAsked = true
    }
    measure()
    element.addEventListener('scroll', ask, { passive: true })
    const resizing = new ResizeObserver(ask)
    resizing.observe(element)
    return () => {
      element.removeEventListener('scroll', ask)
      resizing.disconnect()
    }
  }, [scroller])
  const last = Math.min(count, sight.top + sight.height + around)
  return {
    first: Math.max(0, Math.min(sight.top, count) - around),
    last,
    rowHeight: sight.rowHeight,
  }
}
