import admin from "./admin.json";
import audit from "./audit.json";
import bank from "./bank.json";
import builder from "./builder.json";
import imports from "./imports.json";
import people from "./people.json";

export const staff = { admin, imports, bank, builder, people, audit };
