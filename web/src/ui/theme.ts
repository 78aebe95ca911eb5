/** Light, dark, or as the device: tokens use `light-dark()`, so that a choice is one attribute. */
export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEPT_AS = "examhall-theme";

export function chosenTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEPT_AS);
    return THEMES.includes(kept as Theme) ? (kept as Theme) : "system";
  } catch {
    return "system";
  }
}

export function chooseTheme(theme: Theme): void {
  try {
    localStorage.setItem(KEPT_AS, theme);
  } catch {
    // Storage is refused: the choice holds for this page.
  }
  applyTheme(theme);
}

export function applyTheme(theme: Theme = chosenTheme()): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
