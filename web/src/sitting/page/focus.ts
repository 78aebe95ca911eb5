/** Moves the focus to the heading of the current question, as soon as it is on the page. */
import { questionsOf, type SittingState } from "../slice";

const FRAMES = 30;

export function headingOf(question: string): HTMLElement | null {
  return document.getElementById(`question-${question}`);
}

export function focusQuestion(state: SittingState): void {
  const question = questionsOf(state)[state.place];
  if (question) soon(question.id, FRAMES);
}

/** A long list renders what is in sight: the question may take some frames to come. */
function soon(question: string, frames: number): void {
  const heading = headingOf(question);
  if (heading) heading.focus();
  else if (frames > 0) window.requestAnimationFrame(() => soon(question, frames - 1));
}
