// Everything about a family that needs a person: help, accounts, safety, rights, notices.
import { Head, may, t } from "../kit.ts";
import { BreakGlass } from "./break-glass.tsx";
import { Contests } from "./contests.tsx";
import { Help } from "./help.tsx";
import { Notices } from "./notices.tsx";
import { Recoveries } from "./recoveries.tsx";

export function Screen() {
  return (
    <>
      <Head title={t("care.title")} />
      {may("support families") && <Help />}
      {may("recover accounts") && <Recoveries />}
      {may("break glass") && <BreakGlass />}
      {may("settle contests") && <Contests />}
      {may("support families") && <Notices />}
    </>
  );
}
