// The switch between light, dark, and what the system has.
import { useState } from 'preact/hooks'
import { applyTheme, storedTheme, type Theme, themes } from '../theme.ts'

/** The switch. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(storedTheme)
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system'
  function change(): void {
    applyTheme(next)
    setTheme(next)
  }
  return (
    <button
      type="button"
      class="plain theme"
      onClick={change}
      aria-label={`Colours: ${theme}. Change to ${next}`}
      title={`Colours: ${theme}`}
    >
      <svg class="mark" viewBox="0 0 12 12" aria-hidden="true">
        <circle cx="6" cy="6" r="4.75" fill="none" stroke="currentColor" stroke-width="1.5" />
        {theme !== 'light' && (
          <path
            d={theme === 'dark' ? 'M6 1a5 5 0 0 1 0 10 5 5 0 0 1 0-10' : 'M6 1a5 5 0 0 1 0 10z'}
            fill="currentColor"
          />
        )}
      </svg>
    </button>
  )
}
