/** What every part of a question gets, and by which ids they name each other. */
import type { AttemptQuestion } from "@/api/student.gen";
import type { Answer } from "./types";

export interface QuestionProps {
  question: AttemptQuestion;
  number: number;
  answer: Answer;
  /** Keep it the same function from one rendering to the next: the question is then rendered only when it changes. */
  onAnswer: (answer: Answer) => void;
  disabled: boolean;
  attemptId: string;
  /** Nothing is sent anywhere. */
  practice: boolean;
}

/** Of the heading, which takes the focus when one goes to the question. */
export function headingId(questionId: string): string {
  return `question-${questionId}`;
}

export function textId(questionId: string): string {
  return `question-${questionId}-text`;
}

/** What names the inputs of a question: its number and its text. */
export function labelledBy(questionId: string): string {
  return `${headingId(questionId)} ${textId(questionId)}`;
}
