// Families of the site by their code: no name, no phone, nothing that they say.
import { useState } from "preact/hooks";
import { about, Button, Field, go, Head, type Key, Loaded, may, Pager, PAGE_ROWS, shortDate, site, t, Table, useAsked, usePages } from "../kit.ts";
import type { FamilyAtSite } from "../api-types.ts";
import { OneFamily } from "./one-family.tsx";
import { Ended, Trained } from "./past.tsx";

export function Screen() {
  const [begins, setBegins] = useState("");
  const [code, setCode] = useState(about.value);
  const [past, setPast] = useState<"" | "ended" | "trained">("");
  const pages = usePages<string>();
  const asked = useAsked("GET /v1/staff/sites/{site_id}/families", {
    path: { site_id: site.value?.site_id ?? "" },
    query: { limit: PAGE_ROWS, query: begins.replace(/[^A-Za-z0-9-]/g, ""), ...(pages.after ? { after: pages.after } : {}) },
  });
  if (code) return <OneFamily code={code} onClose={() => { setCode(""); void asked.reload(); }} />;
  return (
    <>
      <Head title={t("families.title")}>
        {may("support families") && (
          <div class="choices">
            <Button onClick={() => setPast(past === "trained" ? "" : "trained")}>{t("families.trained")}</Button>
            <Button onClick={() => setPast(past === "ended" ? "" : "ended")}>{t("families.ended")}</Button>
          </div>
        )}
      </Head>
      {past === "ended" && <Ended />}
      {past === "trained" && <Trained />}
      <Field label={t("families.begins")} value={begins} maxLength={20} onInput={(value) => { pages.first(); setBegins(value); }} />
      <Loaded asked={asked} isEmpty={(answer) => answer.families.length === 0}>
        {(answer) => (
          <>
            <Table
              caption={t("families.title")} rows={answer.families} keyOf={(one) => one.family_code} onOpen={(one) => setCode(one.family_code)} testId="families"
              columns={[
                { title: t("families.code"), cell: (one) => one.family_code },
                { title: t("families.cohort"), cell: (one) => one.cohort },
                { title: t("families.joined"), cell: (one) => t(one.has_logged_in ? "desk.yes" : "desk.no") },
                { title: t("families.watch"), cell: (one) => <Serials of={one} /> },
                { title: t("families.state"), cell: (one) => one.watches.map(stateOf).join(", ") },
                { title: t("families.enrolled"), cell: (one) => shortDate(one.enrolled_at) },
              ]}
            />
            <Pager pages={pages} next={answer.next} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Serials({ of }: { of: FamilyAtSite }) {
  return <>{of.watches.map((one) => <button type="button" class="small" key={one.serial} onClick={() => go("watches", one.serial)}>{one.serial}</button>)}</>;
}

function stateOf(watch: FamilyAtSite["watches"][number]): string {
  return t(watch.state === "handed_out" && watch.paired ? "watch_state.paired" : (`watch_state.${watch.state}` as Key));
}
