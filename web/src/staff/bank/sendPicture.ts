/** Sends a picture of a question. Resolves to its file id. */
import * as z from "zod/mini";
import { send } from "@/api/base";
import { keepFile } from "@/api/files";
import { type ApiProblem, problemOf } from "@/api/problem";

const Sent = z.object({ file_id: z.string() });

export async function sendPicture(file: File): Promise<string | ApiProblem> {
  const body = new FormData();
  body.set("file", file, file.name);
  const answer = await send({ url: "/api/v1/admin/files", method: "POST", body });
  if ("error" in answer) return answer.error;
  const sent = Sent.safeParse(answer.data);
  if (!sent.success) return problemOf(502, null);
  keepFile(sent.data.file_id, file);
  return sent.data.file_id;
}
