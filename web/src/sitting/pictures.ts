/** Pictures of this attempt that the server does not have (yet), as the store knows them. */
import { cancelUpload, onUploads, uploadsOf } from "@/questions/upload";
import type { Sitting } from "./sitting";
import { act } from "./slice";

export class Pictures {
  private readonly forget: () => void;

  constructor(private readonly sitting: Sitting) {
    this.forget = onUploads(() => sitting.dispatch(act.uploadsChanged(uploadsOf(sitting.attempt))));
  }

  /** What is still on its way arrives nowhere. The page goes on to name it. */
  end(): void {
    this.forget();
    const { attempt: attemptId, state } = this.sitting;
    for (const questionId of Object.keys(state.uploads)) cancelUpload({ attemptId, questionId });
  }
}
