// Lists that the office brings: watches, families, SIM cards, trainings.
import { useState } from "preact/hooks";
import { ask, Choice, Head, type Key, ListTaker, may, type Permission, site, t } from "../kit.ts";

const KINDS = {
  families: { needs: "see family codes", columns: "family_code, phone, cohort; watch_serial, form_number" },
  watches: { needs: "register watches", columns: "serial, model, secret; imei, iccid, sim_holder, sim_expires" },
  sims: { needs: "hand out", columns: "serial; iccid, number, holder, expires, quota_mb, month, used_mb" },
  trainings: { needs: "see family codes", columns: "family_code, training, attended_on" },
} as const satisfies Record<string, { needs: Permission; columns: string }>;
type Kind = keyof typeof KINDS;

export function Screen() {
  const mine = (Object.keys(KINDS) as Kind[]).filter((kind) => may(KINDS[kind].needs));
  const [kind, setKind] = useState<Kind>(mine[0] ?? "families");
  return (
    <>
      <Head title={t("lists.title")} />
      <Choice label={t("lists.kind")} value={kind} onPick={(value) => setKind(value as Kind)} options={mine.map((one) => [one, t(`lists.${one}` as Key)])} />
      <ListTaker
        key={kind} columns={KINDS[kind].columns}
        send={(list, dry_run) => ask(`POST /v1/staff/sites/{site_id}/imports/${kind}`, { path: { site_id: site.value?.site_id ?? "" }, query: { dry_run }, body: list, headers: { "Content-Type": "application/octet-stream" } })}
      />
    </>
  );
}
