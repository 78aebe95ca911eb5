/** The way out: the server ends the session; this page and all others forget it, whatever the answer. */

import { api, send } from "@/api/base";
import type { AppDispatch } from "@/store";
import { signedOut } from "./token";

export async function logout(dispatch: AppDispatch): Promise<void> {
  await send({ url: "/api/v1/auth/logout", method: "POST" });
  signedOut();
  dispatch(api.util.resetApiState());
}
