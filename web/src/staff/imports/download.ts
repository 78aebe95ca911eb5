/** Saving what the API gives as a file: the token goes into a header, so a plain link can't. */
import { send } from "@/api/base";
import { type ApiProblem, problemOf } from "@/api/problem";

/** Null when it was saved. */
export async function download(url: string, filename: string): Promise<ApiProblem | null> {
  const answer = await send({ url });
  if ("error" in answer) return answer.error;
  if (!(answer.data instanceof Blob)) return problemOf(0, null);
  const address = URL.createObjectURL(answer.data);
  const link = document.createElement("a");
  link.href = address;
  link.download = filename;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  return null;
}
