"use client";
/** The frame of a page: skip link, header with who is logged in, language and appearance, the content. */
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { isLocale, LOCALES, NAMES } from "@/i18n/locales";
import { useLanguage } from "@/i18n/provider";
import { Button, ButtonLink, Select } from ".";
import styles from "./shell.module.css";
import { chooseTheme, chosenTheme, THEMES, type Theme } from "./theme";

const THEME_NAMES = { system: "themeSystem", light: "themeLight", dark: "themeDark" } as const;

interface Props {
  home: string;
  title?: ReactNode;
  /** Links between the parts, for staff. */
  nav?: ReactNode;
  /** Who is logged in, and the way out. */
  user?: { name: string; onLogout: () => void } | undefined;
  children: ReactNode;
}

export function Shell({ home, title, nav, user, children }: Props) {
  const t = useTranslations("common");
  return (
    <>
      <a className={styles.skip} href="#content">
        {t("skip")}
      </a>
      <header className={styles.header}>
        <a className={styles.brand} href={home}>
          {title ?? t("product")}
        </a>
        {nav ? (
          <nav className={styles.nav} aria-label={t("menu")}>
            {nav}
          </nav>
        ) : null}
        <Preferences user={user} />
      </header>
      <main id="content" className={styles.main} tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

/** A disclosure rather than a menu: it is light, and what it holds are ordinary fields. */
function Preferences({ user }: Pick<Props, "user">) {
  const t = useTranslations("common");
  const s = useTranslations("session");
  const { locale, choose } = useLanguage();
  const [theme, setTheme] = useState<Theme>("system");
  useEffect(() => setTheme(chosenTheme()), []);
  return (
    <details className={styles.preferences}>
      <summary className={styles.trigger}>{user ? user.name : t("menu")}</summary>
      <div className={styles.menu}>
        <Select
          label={t("language")}
          value={locale}
          onChange={({ target }) => isLocale(target.value) && choose(target.value)}
        >
          {LOCALES.map((one) => (
            <option key={one} value={one} lang={one}>
              {NAMES[one]}
            </option>
          ))}
        </Select>
        <Select
          label={t("theme")}
          value={theme}
          onChange={({ target }) => {
            setTheme(target.value as Theme);
            chooseTheme(target.value as Theme);
          }}
        >
          {THEMES.map((one) => (
            <option key={one} value={one}>
              {t(THEME_NAMES[one])}
            </option>
          ))}
        </Select>
        {user ? (
          <>
            <ButtonLink href="/password/">{s("changePassword")}</ButtonLink>
            <Button onClick={user.onLogout}>{s("logOut")}</Button>
          </>
        ) : null}
      </div>
    </details>
  );
}

/** The heading of a page, which takes the focus when the page changes, so that it is read out (unless not `focus`). */
export function PageTitle({ focus = true, children }: { focus?: boolean; children: ReactNode }) {
  const element = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (focus) element.current?.focus({ preventScroll: true });
  }, [focus]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the heading's text is what its children say
  useEffect(() => {
    document.title = `${element.current?.textContent} · Examhall`;
  }, [children]);
  return (
    <h1 ref={element} tabIndex={-1} className={styles.pageTitle}>
      {children}
    </h1>
  );
}
