"use client";
/** A row that failed: its number, what is wrong, and the cells as they were read, the wrong ones marked. */
import type { Ref } from "react";
import { useFormatter, useTranslations } from "use-intl";
import type { FailedRow } from "@/api/staff.gen";
import styles from "./imports.module.css";
import { Said } from "./Said";

interface Props {
  ref: Ref<HTMLTableRowElement>;
  row: FailedRow;
  index: number;
}

export function FailedRowItem({ ref, row, index }: Props) {
  const format = useFormatter();
  return (
    <tr ref={ref} data-index={index} aria-rowindex={index + 2}>
      <th scope="row">{format.number(row.row, { useGrouping: false })}</th>
      <td>
        <Faults errors={row.errors} />
      </td>
      <td>
        <Cells row={row} />
      </td>
    </tr>
  );
}

function Faults({ errors }: Pick<FailedRow, "errors">) {
  const t = useTranslations("imports");
  return (
    <ul className={styles.faults}>
      {errors.map((one) => (
        <li key={`${one.column} ${one.code}`}>
          <strong>{t.has(`codes.${one.code}`) ? t(`codes.${one.code}`) : t("codes.other")}</strong>
          <Said text={one.message} />
        </li>
      ))}
    </ul>
  );
}

function Cells({ row }: { row: FailedRow }) {
  const t = useTranslations("imports");
  const wrong = new Set(row.errors.map((one) => one.column).filter((one) => one !== null));
  const columns = [...wrong, ...Object.keys(row.cells).filter((one) => !wrong.has(one))];
  return (
    <dl className={styles.cells}>
      {columns.map((column) => (
        <div key={column} data-bad={wrong.has(column) || undefined}>
          <dt>
            {wrong.has(column) ? <span aria-hidden="true">⚠ </span> : null}
            <code>{column}</code>
          </dt>
          <dd dir="auto">{row.cells[column] ?? <em>{t("emptyCell")}</em>}</dd>
        </div>
      ))}
    </dl>
  );
}
