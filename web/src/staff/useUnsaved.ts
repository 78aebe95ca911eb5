"use client";
/** Asks before a page with unsaved changes is left, by a link or by closing it. */
import { useEffect } from "react";

export function useUnsaved(dirty: boolean, question: string): void {
  useEffect(() => {
    if (!dirty) return;
    const onUnload = (event: BeforeUnloadEvent) => event.preventDefault();
    // Captured, so that it comes before the router sees the click.
    const onClick = (event: MouseEvent) => {
      const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
      if (!(link instanceof HTMLAnchorElement) || link.target || staysHere(link)) return;
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      if (window.confirm(question)) return;
      event.preventDefault();
      event.stopPropagation();
    };
    window.addEventListener("beforeunload", onUnload);
    document.addEventListener("click", onClick, true);
    return () => {
      window.removeEventListener("beforeunload", onUnload);
      document.removeEventListener("click", onClick, true);
    };
  }, [dirty, question]);
}

function staysHere(link: HTMLAnchorElement): boolean {
  const here = window.location;
  return link.origin === here.origin && link.pathname === here.pathname && link.search === here.search;
}
