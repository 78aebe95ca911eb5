"use client";
/** A link with which a person sets a password. It is shown once: the server keeps no copy of it. */
import { useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import type { PasswordLink, User } from "@/api/staff.gen";
import { useCreatePasswordLinkMutation } from "@/api/staff-content";
import { useMoment } from "@/i18n/when";
import { Button, Hint, Note, Row, Stack, TextField } from "@/ui";
import { Problem } from "@/ui/Problem";

export function PasswordLinkMaker({ person }: { person: User }) {
  const t = useTranslations("people");
  const [make, { isLoading, error, data, reset }] = useCreatePasswordLinkMutation();
  // It leaves the memory of this page together with the part that shows it.
  useEffect(() => reset, [reset]);
  return (
    <Stack>
      <h2>{t("password")}</h2>
      <Hint>{person.has_password ? t("passwordHint") : t("noPasswordHint")}</Hint>
      {error ? <Problem error={error} /> : null}
      {data ? <Link link={data} /> : null}
      <div>
        <Button busy={isLoading} onClick={() => make({ userId: person.id })}>
          {data ? t("makeAnotherLink") : t("makeLink")}
        </Button>
      </div>
    </Stack>
  );
}

function Link({ link }: { link: PasswordLink }) {
  const t = useTranslations("people");
  const moment = useMoment();
  const field = useRef<HTMLInputElement>(null);
  const [said, setSaid] = useState("");
  const address = `${window.location.origin}/password/?token=${encodeURIComponent(link.token)}`;
  useEffect(() => {
    setSaid("");
    if (address) field.current?.select();
  }, [address]);
  async function copy() {
    try {
      await navigator.clipboard.writeText(address);
      setSaid(t("copied"));
    } catch {
      // Without HTTPS there is no clipboard: it is selected, to be copied by hand.
      field.current?.select();
      setSaid(t("copyByHand"));
    }
  }
  return (
    <Note tone="warn">
      <Stack>
        <p>{t("linkOnce", { until: moment(link.expires_at) ?? "" })}</p>
        <TextField ref={field} label={t("link")} readOnly dir="ltr" value={address} />
        <Row>
          <Button look="primary" onClick={copy}>
            {t("copy")}
          </Button>
          <span role="status">{said}</span>
        </Row>
      </Stack>
    </Note>
  );
}
