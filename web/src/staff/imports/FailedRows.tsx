"use client";
/** The rows that failed beside what was read of them: only those in view are in the page. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import { useTranslations } from "use-intl";
import type { FailedRow } from "@/api/staff.gen";
import { ROWS_PAGE, useFailedRowPagesInfiniteQuery } from "@/api/staff-content";
import { Hint, Loading } from "@/ui";
import { Problem } from "@/ui/Problem";
import { FailedRowItem } from "./FailedRowItem";
import styles from "./imports.module.css";

const GUESSED_HEIGHT = 112;

export function FailedRows({ importId }: { importId: string }) {
  const t = useTranslations("imports");
  const c = useTranslations("common");
  const found = useFailedRowPagesInfiniteQuery(importId);
  const { data, error, refetch, isFetchNextPageError, isFetchingNextPage, fetchNextPage } = found;
  if (!data) return error ? <Problem error={error} onRetry={refetch} /> : <Loading>{c("loading")}</Loading>;
  const rows = data.pages.flatMap((page) => page.items);
  if (!rows.length) return <Hint>{t("rowsForgotten")}</Hint>;
  const more = found.hasNextPage && !isFetchingNextPage && !isFetchNextPageError;
  return (
    <>
      <RowsInView rows={rows} complete={!found.hasNextPage} onNearEnd={more ? fetchNextPage : null} />
      {isFetchingNextPage ? <Loading>{c("loading")}</Loading> : null}
      {isFetchNextPageError ? <Problem error={error} onRetry={fetchNextPage} /> : null}
    </>
  );
}

interface Props {
  rows: FailedRow[];
  complete: boolean;
  /** Null while there is nothing to ask for. */
  onNearEnd: (() => unknown) | null;
}

function RowsInView({ rows, complete, onNearEnd }: Props) {
  const t = useTranslations("imports");
  const scroller = useRef<HTMLElement>(null);
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => GUESSED_HEIGHT,
    overscan: 6,
    getItemKey: (place) => rows[place]?.row ?? place,
  });
  const shown = list.getVirtualItems();
  const first = shown.at(0);
  const last = shown.at(-1);
  const nearEnd = last !== undefined && last.index >= rows.length - ROWS_PAGE / 4;
  useEffect(() => {
    if (nearEnd) onNearEnd?.();
  }, [nearEnd, onNearEnd]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by keyboard
    <section ref={scroller} className={styles.rows} aria-label={t("rowsLabel")} tabIndex={0}>
      <table aria-rowcount={complete ? rows.length + 1 : -1}>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col">{t("rowNumber")}</th>
            <th scope="col">{t("wrong")}</th>
            <th scope="col">{t("read")}</th>
          </tr>
        </thead>
        <tbody>
          <Gap height={first?.start ?? 0} />
          {shown.map(({ key, index }) => {
            const row = rows[index];
            return row ? <FailedRowItem key={key} ref={list.measureElement} index={index} row={row} /> : null;
          })}
          <Gap height={list.getTotalSize() - (last?.end ?? 0)} />
        </tbody>
      </table>
    </section>
  );
}

/** In the place of the rows that are out of view. */
function Gap({ height }: { height: number }) {
  return height > 0 ? (
    <tr className={styles.gap}>
      <td colSpan={3} style={{ height }} />
    </tr>
  ) : null;
}
