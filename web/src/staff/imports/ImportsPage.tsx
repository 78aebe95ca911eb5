"use client";
/** Importing: an upload and all jobs; or, with `?job=`, one job. */
import { useRouter, useSearchParams } from "next/navigation";
import { useState } from "react";
import { type Upload, useUploadWorkbookMutation } from "@/api/staff-content";
import { StaffPage } from "@/staff/StaffPage";
import { JobList } from "./JobList";
import { JobView } from "./JobView";
import { UploadForm } from "./UploadForm";

/** What was sent, for as long as the page is open: a file that was checked is imported from here. */
interface Sent {
  jobId: string;
  upload: Upload;
  /** The server knew the file: this is the job of before. */
  again: boolean;
}

export function ImportsPage() {
  return <StaffPage part="imports">{() => <Imports />}</StaffPage>;
}

function Imports() {
  const router = useRouter();
  const jobId = useSearchParams().get("job");
  const [sent, setSent] = useState<Sent | null>(null);
  const [send, { isLoading, error, reset }] = useUploadWorkbookMutation();

  async function start(upload: Upload) {
    const { data: job } = await send(upload);
    if (!job) return;
    // A new job can't have ended when it is told of.
    setSent({ jobId: job.id, upload, again: !upload.dryRun && job.finished_at !== null });
    router.push(`/admin/imports/?job=${job.id}`);
  }

  const sending = { start, busy: isLoading, problem: error ?? null, onChange: reset };
  if (!jobId) {
    return (
      <>
        <UploadForm sending={sending} />
        <JobList />
      </>
    );
  }
  const mine = sent?.jobId === jobId ? sent : null;
  return (
    <JobView
      key={jobId}
      importId={jobId}
      upload={mine?.upload ?? null}
      again={mine?.again ?? false}
      sending={sending}
    />
  );
}
