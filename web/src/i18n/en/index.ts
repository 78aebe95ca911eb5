import common from "./common.json";
import exams from "./exams.json";
import questions from "./questions.json";
import results from "./results.json";
import session from "./session.json";
import sitting from "./sitting.json";

export const student = { common, session, exams, sitting, questions, results };
