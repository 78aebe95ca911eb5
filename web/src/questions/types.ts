/** An answer as the API takes it: by the question's type a text or a list of option ids; null: none. */
export type Answer = string | string[] | null;
