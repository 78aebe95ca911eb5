"use client";
/** A picture as an answer: a photo or a file, sent at once, shown as it was sent. */
import { type ChangeEvent, useRef, useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { keepFile } from "@/api/files";
import type { ApiProblem } from "@/api/problem";
import { Picture } from "@/text/Picture";
import { Button, Note, Progress, Row } from "@/ui";
import { Problem } from "@/ui/Problem";
import { labelledBy, type QuestionProps } from "./question";
import styles from "./questions.module.css";
import { cancelUpload, MAX_FILE_BYTES, startUpload, TYPES, type Upload, useUpload } from "./upload";

export function ImageAnswer({ question, answer, onAnswer, disabled, attemptId, practice }: QuestionProps) {
  const t = useTranslations("questions");
  const [refused, setRefused] = useState<"wrongType" | "tooLarge" | null>(null);
  const target = { attemptId, questionId: question.id };
  const upload = useUpload(target);
  const given = typeof answer === "string" ? answer : null;

  function choose(file: File) {
    const reason = TYPES.includes(file.type) ? (file.size > MAX_FILE_BYTES ? "tooLarge" : null) : "wrongType";
    setRefused(reason);
    if (reason) return;
    if (!practice) return startUpload(target, file, onAnswer);
    const id = `practice-${Date.now()}`;
    keepFile(id, file);
    onAnswer(id);
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would disable the preview with the buttons
    <div role="group" className={styles.written} aria-labelledby={labelledBy(question.id)}>
      {given ? <Picture fileId={given} alt={t("yourPicture")} /> : null}
      {upload ? (
        <Sending
          upload={upload}
          onRetry={() => startUpload(target, upload.file, onAnswer)}
          onCancel={() => cancelUpload(target)}
        />
      ) : null}
      {refused ? (
        <Note tone="bad" live>
          {t(refused)}
        </Note>
      ) : null}
      <Choosing
        given={given !== null}
        disabled={disabled}
        onChoose={choose}
        onRemove={() => {
          cancelUpload(target);
          setRefused(null);
          onAnswer(null);
        }}
      />
      <p className={styles.hint}>{practice ? t("pictureStays") : t("pictureHint")}</p>
    </div>
  );
}

interface ChoosingProps {
  given: boolean;
  disabled: boolean;
  onChoose: (file: File) => void;
  onRemove: () => void;
}

/** Two inputs: `capture` opens the camera of a phone, and there would be no way to its files. */
function Choosing({ given, disabled, onChoose, onRemove }: ChoosingProps) {
  const t = useTranslations("questions");
  const file = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  function chosen({ target }: ChangeEvent<HTMLInputElement>) {
    const [one] = target.files ?? [];
    // The same file again is a change, too.
    target.value = "";
    if (one) onChoose(one);
  }
  const shared = { type: "file", accept: TYPES.join(","), hidden: true, onChange: chosen } as const;
  return (
    <Row>
      <input ref={file} {...shared} aria-label={t("chooseFile")} />
      <input ref={camera} {...shared} capture="environment" aria-label={t("takePhoto")} />
      <Button ref={button} disabled={disabled} onClick={() => file.current?.click()}>
        {given ? t("anotherFile") : t("chooseFile")}
      </Button>
      <span className={styles.touchOnly}>
        <Button disabled={disabled} onClick={() => camera.current?.click()}>
          {t("takePhoto")}
        </Button>
      </span>
      {given && !disabled ? (
        <Button
          look="quiet"
          onClick={() => {
            button.current?.focus();
            onRemove();
          }}
        >
          {t("removePicture")}
        </Button>
      ) : null}
    </Row>
  );
}

function Sending({
  upload,
  onRetry,
  onCancel,
}: {
  upload: Upload;
  onRetry: () => void;
  onCancel: () => void;
}) {
  const t = useTranslations("questions");
  const c = useTranslations("common");
  const format = useFormatter();
  if (upload.problem) {
    return (
      <>
        <UploadProblem problem={upload.problem} name={upload.file.name} onRetry={onRetry} />
        <div>
          <Button small look="quiet" onClick={onCancel}>
            {c("cancel")}
          </Button>
        </div>
      </>
    );
  }
  const percent = format.number(upload.progress, { style: "percent" });
  return (
    <div className={styles.sending}>
      <p>
        <span role="status">{t("sending")}</span> <bdi>{upload.file.name}</bdi> · {percent}
      </p>
      <Progress label={t("sending")} value={upload.progress} />
      <div>
        <Button small onClick={onCancel}>
          {c("cancel")}
        </Button>
      </div>
    </div>
  );
}

function UploadProblem({
  problem,
  name,
  onRetry,
}: {
  problem: ApiProblem;
  name: string;
  onRetry: () => void;
}) {
  const t = useTranslations("questions");
  // What is wrong with the file itself stays wrong: another one is needed.
  const final = problem.status === 413 || problem.status === 415 || problem.status === 422;
  return (
    <>
      <p>{t("notSent", { name })}</p>
      {final ? <Problem error={problem} /> : <Problem error={problem} onRetry={onRetry} />}
    </>
  );
}
