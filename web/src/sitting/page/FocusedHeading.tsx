"use client";
/** The heading of what has taken the place of something else, and takes over the focus from it. */
import { type ReactNode, useEffect, useRef } from "react";

export function FocusedHeading({ children }: { children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <h2 ref={heading} tabIndex={-1}>
      {children}
    </h2>
  );
}
