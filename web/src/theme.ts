// Light or dark: as the system has it, unless a person chose.

/** The choices, in the order in which the switch goes through them. */
export const themes = ['system', 'light', 'dark'] as const
/** One of {@link themes}. */
export type Theme = (typeof themes)[number]

const key = 'theme'

/** The choice of last time. */
export function storedTheme(): Theme {
  const stored = localStorage.getItem(key)
  return themes.find((theme) => theme === stored) ?? 'system'
}

/** Sets it, and keeps it for the next time. */
export function applyTheme(theme: Theme): void {
  localStorage.setItem(key, theme)
  document.documentElement.dataset.theme = theme
  window.dispatchEvent(new Event('themechange'))
}
