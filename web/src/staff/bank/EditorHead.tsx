"use client";
import { useTranslations } from "use-intl";
import { Badge, Button, Hint, Note, Row } from "@/ui";
import { PageTitle } from "@/ui/Shell";
import type { EditorState } from "./useEditor";

export function EditorHead({ editor }: { editor: EditorState }) {
  const t = useTranslations("bank");
  const { base, dirty } = editor;
  return (
    <>
      <Row>
        <PageTitle>{base ? t("editTitle") : t("newTitle")}</PageTitle>
        {base ? <Badge>{t("versionNumber", { version: base.version })}</Badge> : null}
        {dirty ? <Badge tone="warn">{t("unsaved")}</Badge> : null}
      </Row>
      {editor.restored && dirty ? (
        <Note tone="warn">
          <p>{t("restored")}</p>
          <div>
            <Button small onClick={editor.discard}>
              {t("discard")}
            </Button>
          </div>
        </Note>
      ) : null}
      {base?.archived ? <Note tone="warn">{t("archived")}</Note> : null}
      {base && !base.archived ? <Hint>{t("versionsHint")}</Hint> : null}
    </>
  );
}
