/** Sending a workbook, as the page's parts pass it on; and what can be told of a file before it is sent. */
import type { Upload } from "@/api/staff-content";

export const MOST_BYTES = 20 * 1024 * 1024;
export const FORMATS = [".xlsx", ".xls", ".ods", ".csv"];

export interface Sending {
  start: (upload: Upload) => Promise<void>;
  busy: boolean;
  problem: unknown;
  /** What was wrong is no longer what is asked for. */
  onChange: () => void;
}

export type FileFault = "tooLarge" | "notWorkbook" | "empty";

export function fileFault(file: Pick<File, "name" | "size">): FileFault | null {
  const name = file.name.toLowerCase();
  if (!FORMATS.some((ending) => name.endsWith(ending))) return "notWorkbook";
  if (file.size > MOST_BYTES) return "tooLarge";
  return file.size === 0 ? "empty" : null;
}

/** The file as it is now: what was checked is what is imported, whatever happens to it on the disk. */
export async function copied(file: File): Promise<File> {
  return new File([await file.arrayBuffer()], file.name, { type: file.type });
}
