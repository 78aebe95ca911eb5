/** For tests: a component rendered with the English messages, and taken away after. */
import { cleanup, render } from "@testing-library/react";
import type { ReactElement, ReactNode } from "react";
import { IntlProvider } from "use-intl";
import { afterEach } from "vitest";
import { ENGLISH } from "@/i18n/catalogues";

afterEach(cleanup);

function English({ children }: { children: ReactNode }) {
  return (
    <IntlProvider locale="en" messages={ENGLISH} timeZone="UTC">
      {children}
    </IntlProvider>
  );
}

export function show(element: ReactElement) {
  return render(element, { wrapper: English });
}
