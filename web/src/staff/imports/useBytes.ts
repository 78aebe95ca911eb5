/** Sizes of files as people read them. */
import { useFormatter } from "use-intl";

const UNITS = ["byte", "kilobyte", "megabyte"] as const;

export function useBytes(): (bytes: number) => string {
  const format = useFormatter();
  return (bytes) => {
    const step = bytes < 1000 ? 0 : bytes < 1000 ** 2 ? 1 : 2;
    return format.number(bytes / 1000 ** step, {
      style: "unit",
      unit: UNITS[step],
      maximumFractionDigits: step === 2 ? 1 : 0,
    });
  };
}
