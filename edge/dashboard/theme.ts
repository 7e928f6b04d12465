/** Light or dark: as the system says, unless somebody chose. The choice is an attribute of the document, from which the style sheet takes its colours. */
import { browserStorage } from './kept.ts'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const KEY = 'streamforge-theme'

export const chosenTheme = (): Theme => THEMES.find((theme) => theme === browserStorage.read(KEY)) ?? 'system'

export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

export function chooseTheme(theme: Theme): void {
  browserStorage.write(KEY, theme === 'system' ? null : theme)
  applyTheme(theme)
}

/** Calls back when colours have changed, whoever changed them. */
export function onThemeChange(listener: () => void): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', listener)
  new MutationObserver(listener).observe(document.documentElement, { attributeFilter: ['data-theme'] })
}
