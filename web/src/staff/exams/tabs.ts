/** In which section a field of an exam stands. */
import type { Tab } from "./checklist";

const PLACES: Record<string, Tab> = {
  questions: "questions",
  multi_choice: "scoring",
  wrong_penalty: "scoring",
  shuffle_questions: "scoring",
  shuffle_options: "scoring",
  result_policy: "scoring",
  reveal: "scoring",
  everyone: "who",
  groups: "who",
  student_ids: "who",
};

/** `field`: a name, or a path such as `questions.3.points`. */
export function tabOf(field: string): Tab {
  return PLACES[field.split(".")[0] ?? ""] ?? "basics";
}
