"use client";
import { type ReactNode, useState } from "react";
import type { ApiProblem } from "@/api/problem";
import { Button } from "@/ui";
import { Problem } from "@/ui/Problem";
import { download } from "./download";

export function DownloadButton({
  url,
  filename,
  children,
}: {
  url: string;
  filename: string;
  children: ReactNode;
}) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  async function save() {
    setBusy(true);
    setProblem(await download(url, filename));
    setBusy(false);
  }
  return (
    <>
      <Button small busy={busy} onClick={save}>
        {children}
      </Button>
      {problem ? <Problem error={problem} onRetry={save} /> : null}
    </>
  );
}
