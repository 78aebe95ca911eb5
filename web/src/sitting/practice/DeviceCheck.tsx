"use client";
/** Whether this device is fit for an exam, and what to do where it is not. */
import { type ReactNode, useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { Badge, Button, Card, Row, Stack, TextField } from "@/ui";
import { checkServer, checkStorage, type Found } from "./checks";
import styles from "./practice.module.css";

const UNKNOWN: Found = { verdict: "checking" };
const TONES = { checking: "plain", good: "good", bad: "bad" } as const;
const SIGNS = { checking: "…", good: "✓", bad: "!" };

export function DeviceCheck() {
  const t = useTranslations("sitting.device");
  const [found, setFound] = useState({ storage: UNKNOWN, network: UNKNOWN, clock: UNKNOWN });
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `tries` asks for another try
  useEffect(() => {
    let gone = false;
    Promise.all([checkStorage(), checkServer()]).then(([storage, server]) => {
      if (!gone) setFound({ storage, ...server });
    });
    return () => {
      gone = true;
    };
  }, [tries]);
  const { storage, network, clock } = found;
  return (
    <Card>
      <Stack>
        <h2>{t("title")}</h2>
        <ul className={styles.checks}>
          <Check name="storage" found={storage} />
          <Check name="network" found={network} more={t("ms", { ms: network.figure ?? 0 })} />
          <Check name="clock" found={clock} more={t("seconds", { seconds: Math.abs(clock.figure ?? 0) })} />
        </ul>
        <FileCheck />
        <Row>
          <Button onClick={() => setTries((count) => count + 1)}>{t("again")}</Button>
        </Row>
      </Stack>
    </Card>
  );
}

interface CheckProps {
  name: "storage" | "network" | "clock";
  found: Found;
  more?: ReactNode;
}

function Check({ name, found, more }: CheckProps) {
  const t = useTranslations("sitting.device");
  const { verdict, figure } = found;
  return (
    <li className={styles.check}>
      <Badge tone={TONES[verdict]}>
        <span aria-hidden="true">{SIGNS[verdict]}</span> {t(verdict)}
      </Badge>
      <div>
        <strong>{t(`${name}.name`)}</strong> {figure === undefined ? null : <span>({more})</span>}
        {verdict === "bad" ? <p>{t(`${name}.bad`)}</p> : null}
      </div>
    </li>
  );
}

function FileCheck() {
  const t = useTranslations("sitting.device");
  const [name, setName] = useState<string | null>(null);
  return (
    <div>
      <TextField
        label={t("file.label")}
        hint={t("file.hint")}
        type="file"
        accept="image/*"
        onChange={(event) => setName(event.target.files?.[0]?.name ?? null)}
      />
      <p role="status" className={styles.file}>
        {name ? (
          <>
            <Badge tone="good">
              <span aria-hidden="true">✓</span> {t("good")}
            </Badge>{" "}
            <bdi>{name}</bdi>
          </>
        ) : null}
      </p>
    </div>
  );
}
