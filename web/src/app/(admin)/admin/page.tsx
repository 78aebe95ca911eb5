"use client";
/** The start page of staff. */
import { StaffPage } from "@/staff/StaffPage";

export default function Admin() {
  return <StaffPage part="exams">{() => <p>…</p>}</StaffPage>;
}
