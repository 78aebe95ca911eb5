"use client";
/**
 * What has become of the answers, as it is and not as one would like it. It changes often: read out are only
 * troubles, and that they are over.
 */
import { useEffect, useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { Badge, type Tone } from "@/ui";
import { type Standing, standingOf } from "../standing";
import { useShown } from "./context";

const LOOKS: Record<Standing, { tone: Tone; sign: string; trouble: boolean }> = {
  fresh: { tone: "plain", sign: "○", trouble: false },
  saved: { tone: "good", sign: "✓", trouble: false },
  saving: { tone: "accent", sign: "…", trouble: false },
  retrying: { tone: "warn", sign: "!", trouble: true },
  offline: { tone: "warn", sign: "!", trouble: true },
  paused: { tone: "warn", sign: "!", trouble: true },
  loggedOut: { tone: "bad", sign: "!", trouble: true },
  undecided: { tone: "bad", sign: "!", trouble: true },
  refused: { tone: "bad", sign: "!", trouble: true },
  picture: { tone: "bad", sign: "!", trouble: true },
};

/** "10:42:07" in all languages: short enough to stand beside the time that is left. */
const SECONDS = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;

export function SaveBadge() {
  const t = useTranslations("sitting");
  const format = useFormatter();
  const standing = useShown(standingOf);
  const savedAt = useShown((state) => state.savedAt);
  const said = useAnnounced(standing);
  const { tone, sign } = LOOKS[standing];
  const time = savedAt ? format.dateTime(new Date(savedAt), SECONDS) : null;
  const durable = useShown((state) => state.durable);
  const name = standing === "offline" && !durable ? "offlineUnkept" : standing;
  const text = standing === "saved" && time ? t("badge.savedAt", { time }) : t(`badge.${name}`);
  return (
    <span role="status" aria-live="polite">
      <span aria-hidden="true">
        <Badge tone={tone}>
          <span>{sign}</span> {text}
        </Badge>
      </span>
      <span className="visually-hidden">{said ? t(`badge.${said === "offline" ? name : said}`) : ""}</span>
    </span>
  );
}

/** A trouble when it begins; "saved" when it ends; nothing for what is as it should be. */
function useAnnounced(standing: Standing): Standing | null {
  const [said, setSaid] = useState<Standing | null>(null);
  useEffect(() => {
    if (LOOKS[standing].trouble) setSaid(standing);
    else if (standing === "saved") setSaid((before) => (before ? "saved" : null));
  }, [standing]);
  return said;
}
