"use client";
import { useEffect } from "react";
import { registerOffline } from "./register";

export function Offline() {
  useEffect(() => {
    registerOffline();
  }, []);
  return null;
}
