"use client";
/** A picture from our own files, fetched with the token; a click shows it in full size. */
import { useEffect, useState } from "react";
import { createPortal } from "react-dom";
import { useTranslations } from "use-intl";
import { fileBlob } from "@/api/files";
import { Button, Dialog } from "@/ui";
import styles from "./text.module.css";

type Found = { state: "loading" } | { state: "failed" } | { state: "shown"; url: string };

/** An object URL for as long as the component is there. */
function usePicture(fileId: string): [Found, () => void] {
  const [found, setFound] = useState<Found>({ state: "loading" });
  const [turn, setTurn] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new turn asks again
  useEffect(() => {
    let url: string | null = null;
    let gone = false;
    setFound({ state: "loading" });
    fileBlob(fileId).then((blob) => {
      if (gone) return;
      if (blob instanceof Blob) url = URL.createObjectURL(blob);
      setFound(url ? { state: "shown", url } : { state: "failed" });
    });
    return () => {
      gone = true;
      if (url) URL.revokeObjectURL(url);
    };
  }, [fileId, turn]);
  return [found, () => setTurn((before) => before + 1)];
}

export function Picture({ fileId, alt }: { fileId: string; alt: string }) {
  const t = useTranslations("questions");
  const [found, again] = usePicture(fileId);
  if (found.state === "loading") {
    return <span className={styles.pending}>{t("pictureLoading")}</span>;
  }
  if (found.state === "failed") {
    return (
      <span className={styles.pending} role="status">
        {alt ? t("pictureFailedOf", { alt }) : t("pictureFailed")}{" "}
        <Button small onClick={again}>
          {t("again")}
        </Button>
      </span>
    );
  }
  return <Zoomable url={found.url} alt={alt} />;
}

function Zoomable({ url, alt }: { url: string; alt: string }) {
  const t = useTranslations("questions");
  const c = useTranslations("common");
  const [zoomed, setZoomed] = useState(false);
  const close = () => setZoomed(false);
  return (
    <>
      <button
        type="button"
        className={styles.zoom}
        aria-label={alt ? t("zoomOf", { alt }) : t("zoom")}
        onClick={() => setZoomed(true)}
      >
        {/** biome-ignore lint/performance/noImgElement: an object URL */}
        <img src={url} alt={alt} dir="auto" />
      </button>
      {/* Elsewhere in the document: a paragraph may hold a picture, but no dialog. */}
      {createPortal(
        <Dialog
          open={zoomed}
          onClose={close}
          title={alt || t("picture")}
          wide
          actions={<Button onClick={close}>{c("close")}</Button>}
        >
          <div className={styles.full}>
            {/** biome-ignore lint/performance/noImgElement: an object URL */}
            <img src={url} alt={alt} />
          </div>
        </Dialog>,
        document.body,
      )}
    </>
  );
}
