"use client";
/** Time left, counted down on a clock that nobody can set. */
import { useEffect, useState } from "react";
import { useFormatter, useTranslations } from "use-intl";

/** `seconds` as they were at `receivedAt` (on `performance.now()`). */
export function TimeLeft({ seconds, receivedAt }: { seconds: number; receivedAt: number }) {
  const t = useTranslations("exams");
  const format = useFormatter();
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const left = Math.max(0, Math.floor(seconds - Math.max(0, now - receivedAt) / 1000));
  if (left === 0) return <>{t("timeUp")}</>;
  const two = (value: number) => format.number(value, { minimumIntegerDigits: 2 });
  const parts = [two(Math.floor(left / 60) % 60), two(left % 60)];
  const hours = Math.floor(left / 3600);
  return <>{t("timeLeft", { time: (hours ? [format.number(hours), ...parts] : parts).join(":") })}</>;
}
