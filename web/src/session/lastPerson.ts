/**
 * Who was last logged in on this browser, and has not logged out: no token, only whose journal may be opened when the
 * page is loaded again without a connection.
 */
import * as z from "zod/mini";

const KEPT_AS = "examhall-person";
const PersonShape = z.object({ id: z.string(), name: z.string() });

export type Person = z.infer<typeof PersonShape>;

export function rememberPerson(person: Person | null): void {
  try {
    if (person) localStorage.setItem(KEPT_AS, JSON.stringify({ id: person.id, name: person.name }));
    else localStorage.removeItem(KEPT_AS);
  } catch {
    // Storage is refused: a reload without a connection then ends at the login.
  }
}

export function lastPerson(): Person | null {
  try {
    const read = PersonShape.safeParse(JSON.parse(localStorage.getItem(KEPT_AS) ?? "null"));
    return read.success ? read.data : null;
  } catch {
    return null;
  }
}
